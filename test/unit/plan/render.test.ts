import type { Inventory } from "../../../lib/inventory-schema";
import { ADDRESS, deployed, plan, REPLACE, resource, STATE } from "./plans";
import { PlanReport, planReport } from "../../../lib/plan/judge/report";
import { readPlan } from "../../../lib/terraform-json/plan";
import { renderJson } from "../../../lib/plan/render/json";
import { renderMarkdown } from "../../../lib/plan/render/markdown";
import { renderText } from "../../../lib/plan/render/text";

const report = (document: object, inventories: readonly Inventory[] = []): PlanReport =>
  planReport(readPlan(document), { inventories });

/** A binding of somebody with that name to cluster-admin: the name stands in a danger, a table and the details. */
const named = (name: string) =>
  report(
    plan([
      resource("kubernetes_cluster_role_binding.x", {
        actions: ["create"],
        after: { role_ref: [{ kind: "ClusterRole", name: "cluster-admin" }], subject: [{ kind: "User", name }] },
      }),
    ]),
  );

const many = (count: number) =>
  report(
    plan(
      Array.from({ length: count }, (_, index) =>
        resource(`tls_private_key.sa_${index}`, { actions: ["create"], after: { algorithm: "RSA", rsa_bits: 2048 } }),
      ),
    ),
  );

describe("names from a plan", () => {
  test("cannot move the cursor, hide or turn text, or begin a line of their own", () => {
    // A form refuses them where they are values; addresses of instances are shown as they are.
    const address = `tls_self_signed_cert.x[${JSON.stringify("\u001b]0;title\u0007\u202e\u200b\u0085\u2028\r").slice(0, -1)}\r\n\u202e"]`;
    const moved = resource(address, { before: {}, after: {} }, { previous_address: address });
    const found = report(plan([moved, resource(address, { actions: ["delete"], before: {} })]));
    for (const text of [renderText(found), renderMarkdown(found)]) {
      expect(text).toMatch(/^[\x20-\x7e\n→…⛔🔑]*$/u);
      expect(text).toContain("\\u{202e}");
      expect(text).not.toMatch(/^"\]/m);
    }
    expect(renderMarkdown(found)).toMatch(/\| its address was .*u\{202e\}/);
  });

  test.each([
    "@kubernetes/admins",
    "#1",
    "https://evil.example.com",
    "www.evil.example.com",
    "<img src=x>",
    "a|b",
    "`x`",
    "[x](y)",
    "_x_",
    "**x**",
    "~~x~~",
    "$x$",
    "&amp;",
  ])("are neither markup nor mention nor link in Markdown: %s", (name) => {
    const markdown = renderMarkdown(named(name)).replace(/^<!--.*-->$/m, "");
    for (const line of markdown.split("\n")) {
      // Outside of code, nothing of it is left as it was.
      const prose = line.replace(/(`+) ?.*?[^`] ?\1(?!`)/g, "");
      expect(prose).not.toContain(name);
      expect(prose.replace(/\\\||^> |<\/?(details|summary)>/g, "")).not.toMatch(/@\w|#\w(?!.*;)|:\/\/|www\.\w|<\w|~~/);
    }
    const rows = markdown.split("\n").filter((line) => line.startsWith("| ") && !line.includes("---"));
    rows.forEach((row) => expect(row.match(/(?<!\\)\|/g)).toHaveLength(5));
  });
});

describe("Markdown", () => {
  const stack = (name: string) => ({ schemaVersion: 2, stack: name, entries: [] }) as Inventory;

  test("starts with a marker that is the same for every plan of a stack, so that a comment is updated in place", () => {
    const first = (inventories: readonly Inventory[], document = deployed()) =>
      renderMarkdown(report(document, inventories)).split("\n")[0];
    expect(first([])).toBe("<!-- kubernetes-pki plan -->");
    expect(first([stack("prod-pki")])).toBe("<!-- kubernetes-pki plan prod-pki -->");
    expect(first([stack("prod-pki")], plan([]))).toBe("<!-- kubernetes-pki plan prod-pki -->");
    expect(first([stack("a--> <b>")])).toBe("<!-- kubernetes-pki plan a-b- -->");
  });
});

describe("a limit of bytes", () => {
  test.each([
    ["text", (limit: number) => renderText(many(500), { maxBytes: limit })],
    ["Markdown", (limit: number) => renderMarkdown(many(500), { maxBytes: limit })],
    ["JSON", (limit: number) => renderJson(many(500), { maxBytes: limit })],
  ])("keeps the summary in %s", (_, render) => {
    for (const limit of [1000, 1234, 5000, 20_000]) {
      const rendered = render(limit);
      expect(Buffer.byteLength(rendered)).toBeLessThanOrEqual(limit);
      expect(rendered).toMatch(/500 issue|"issue": 500/);
    }
    expect(render(10_000_000)).not.toMatch(/left out|truncated/);
  });

  test("says how much is left out, and leaves no detail open", () => {
    const whole = renderMarkdown(many(20));
    const cut = renderMarkdown(many(20), { maxBytes: Buffer.byteLength(whole) - 100 });
    expect(cut).toMatch(/\n<\/details>\n\n… \d+ more parts of this report are left out for its size\.\n$/);
    expect(cut.split("<details>")).toHaveLength(2);
  });

  test("keeps dangers before changes", () => {
    const text = renderText(report(deployed({ ca: { actions: REPLACE, after: STATE.ca } })), { maxBytes: 1000 });
    expect(text).toContain("DANGER authority-replaced kubernetes g1");
  });

  test("keeps JSON whole", () => {
    expect(JSON.parse(renderJson(many(500), { maxBytes: 1000 }))).toMatchObject({
      schemaVersion: 2,
      counts: { issue: 500 },
      changes: [],
      truncated: true,
    });
  });
});

describe("an inventory", () => {
  test("names things, their files, and who restarts", () => {
    const consumers = [{ component: "kube-apiserver", via: "--tls-cert-file", onChange: "reload" }];
    const restart = [{ component: "kubelet", via: "--kubeconfig", onChange: "restart" }];
    const entry = {
      kind: "certificate",
      cluster: "pki",
      name: "serving",
      purpose: "certificate for serving the Kubernetes API",
      holder: "cp-1.example.com",
      addresses: [ADDRESS.leaf, ADDRESS.request],
      files: [
        { holder: "cp-1.example.com", path: "/etc/x.crt", kind: "certificate", consumers },
        { holder: "cp-1.example.com", path: "/etc/x.conf", kind: "kubeconfig", consumers: restart },
        { holder: "cluster", path: "Secret/web/tls#tls.crt", kind: "certificate", consumers: [] },
      ],
    };
    const inventory = { schemaVersion: 2, stack: "prod", entries: [entry] } as unknown as Inventory;
    const found = report(deployed({ leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]] } }), [inventory]);
    expect(found.changes.map(({ name }) => name)).toEqual(["cp-1.example.com/serving"]);
    expect(found.files.map(({ path, kind }) => [path, kind])).toEqual([
      ["Secret/web/tls#tls.crt", "certificate"],
      ["/etc/x.conf", "kubeconfig"],
      ["/etc/x.crt", "certificate"],
    ]);
    expect(found.components).toEqual([
      { component: "kubelet", action: "restart", holders: ["cp-1.example.com"], files: ["/etc/x.conf"] },
      { component: "kube-apiserver", action: "reload", holders: ["cp-1.example.com"], files: ["/etc/x.crt"] },
    ]);
    expect(renderText(found)).toContain("kubelet: restart on cp-1.example.com (/etc/x.conf)");
    const purpose = "certificate for serving the Kubernetes API";
    expect(found.changes[0]!.purpose).toBe(purpose);
    expect(renderText(found)).toContain(`    purpose    ${purpose}\n`);
    expect(renderMarkdown(found)).toContain(`- purpose: \`${purpose}\`\n`);
  });
});

test("a report depends on nothing but the plan: equal input gives equal bytes, in whatever order Terraform lists resources", () => {
  const document = deployed({ ca: { actions: REPLACE, after: STATE.ca }, leaf: { actions: REPLACE } });
  const turned = { ...document, resource_changes: [...(document.resource_changes as object[])].reverse() };
  expect(renderJson(report(turned))).toBe(renderJson(report(document)));
});
