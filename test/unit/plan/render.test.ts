import type { Inventory } from "../../../lib/inventory-schema";
import { ADDRESS, Change, deployed, file, outputChanges, plan, REPLACE, resource, STATE } from "./plans";
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

describe("a reviewer's page", () => {
  const visibleLines = (markdown: string) => markdown.replace(/<details>[^]*?<\/details>/g, "").split("\n").length;
  const NAMES = ["apiserver", "kubelet", "scheduler", "etcd-server", "admin"];
  const EACH = 40;

  /** So many machines with these certificates each, all signed by one authority. */
  function machines(change: (machine: number, name: string) => Change): Record<string, unknown> {
    const leaves = Array.from({ length: EACH }, (_, machine) => NAMES.map((name) => ({ machine, name }))).flat();
    return plan([
      resource(ADDRESS.ca, { before: STATE.ca, after: STATE.ca }),
      ...leaves.flatMap(({ machine, name }) => {
        const own = `pki__cp-${machine}__${name}`;
        const request = {
          ...STATE.request,
          cert_request_pem: own,
          subject: [{ common_name: `${name}-of-cp-${machine}` }],
        };
        const { before = { ...STATE.leaf, cert_request_pem: own }, ...more } = change(machine, name);
        const after = { ...STATE.leaf, cert_request_pem: own };
        return [
          resource(`tls_cert_request.${own}`, { before: request, after: request }),
          resource(`tls_locally_signed_cert.${own}`, { before, after, ...more }),
        ];
      }),
    ]);
  }

  test("has one row for what happens to one certificate on many machines, and the details of all", () => {
    const found = report(machines(() => ({ actions: REPLACE, replace_paths: [["ready_for_renewal"]] })));
    const markdown = renderMarkdown(found);
    expect(found.changes).toHaveLength(200);
    expect(visibleLines(markdown)).toBeLessThanOrEqual(20);
    expect(markdown).toMatch(/\| renew certificate ×40 \| `apiserver` on `cp-0`, `cp-1`, .* and 10 more \|/);
    found.changes.forEach(({ name }) => expect(markdown).toContain(`**renew** \`${name}\``));
    expect(renderText(found)).toMatch(/\n {2}renew ×40 apiserver on cp-0, cp-1, .* and 10 more \(certificate\)\n/);
  });

  test("fits on a screen with two hundred changes of many kinds", () => {
    const found = report(
      machines((machine, name) => ({
        actions: REPLACE,
        replace_paths: [[["ready_for_renewal"], ["allowed_uses"], ["validity_period_hours"]][machine % 3]!],
        before: {
          ...STATE.leaf,
          cert_request_pem: `pki__cp-${machine}__${name}`,
          validity_period_hours: 9000 + machine,
        },
      })),
    );
    expect(found.changes).toHaveLength(200);
    expect(visibleLines(renderMarkdown(found))).toBeLessThanOrEqual(60);
  });

  test("says in the row what differs, and of what is new what it is", () => {
    const names = { ...STATE.request, dns_names: ["cp-1", "more.example.com"] };
    const changed = renderMarkdown(
      report(
        deployed({
          request: { actions: REPLACE, replace_paths: [["dns_names"]], after: names },
          leaf: { actions: REPLACE, replace_paths: [["cert_request_pem"]] },
        }),
      ),
    );
    expect(changed).toMatch(
      /\| re-issue certificate \| `cp-1\/apiserver` \| names − kubernetes, \+ more\.example\.com \|/,
    );
    const binding = {
      role_ref: [{ kind: "ClusterRole", name: "view" }],
      subject: [{ kind: "Group", name: "team" }],
    };
    const granted = plan([
      resource("kubernetes_cluster_role_binding_v1.team", { actions: ["create"], after: binding }),
    ]);
    expect(renderMarkdown(report(granted))).toContain(
      "| grant binding | `team` | role ClusterRole/view; who Group/team |",
    );
  });

  test("tells a danger once, with all that are in it", () => {
    const found = report(machines(() => ({ actions: ["update"], after_unknown: { ca_cert_pem: true }, after: {} })));
    const stale = found.dangers.filter(({ code }) => code === "stale-certificate");
    expect(stale.length).toBe(200);
    for (const text of [renderText(found), renderMarkdown(found)]) {
      expect(text.match(/The certificate is kept although/g)).toHaveLength(1);
      expect(text).toMatch(/cp-0\/admin.*cp-1\/admin.* and 170 more/);
    }
  });

  test.each([
    ["nothing changes", {}, "✅"],
    ["a check fails", { checks: [{ status: "fail", address: { to_display: "check.x" } }] }, "⚠️"],
    ["it is partial", { complete: false }, "⚠️"],
    [
      "something was changed outside",
      { resource_drift: [resource(ADDRESS.leaf, { actions: ["delete"], before: STATE.leaf })] },
      "⚠️",
    ],
  ])("has a sign of its own where %s", (_, more, icon) => {
    expect(renderMarkdown(report(deployed({}, more))).split("\n")[1]).toMatch(new RegExp(`^### ${icon} `));
  });

  test("names the files that change with no certificate", () => {
    const before = { files: { "cp-1": { "/etc/x": file("a"), "/etc/y": file("b") } } };
    const after = { files: { "cp-1": { "/etc/x": file("c"), "/etc/z": file("b") } } };
    const found = report(deployed({}, outputChanges(before, after)));
    expect(renderText(found)).toContain(
      "\nFiles\n    cp-1       /etc/x (content)\n               /etc/z (moved from cp-1 /etc/y)\n",
    );
    expect(renderMarkdown(found)).toContain("| `cp-1` | `/etc/x (content)`, `/etc/z (moved from cp-1 /etc/y)` |");
  });

  test("says of every line which cluster it is of, where there are several", () => {
    const consumers = [{ component: "kube-apiserver", via: "--tls-cert-file", onChange: "restart" }];
    const clusters = ["blue", "green"].map((cluster) => {
      const own = (name: string) => `${cluster}__${name}`;
      const ca = { ...STATE.ca, cert_pem: cluster };
      const leaf = { ...STATE.leaf, cert_request_pem: cluster, ca_cert_pem: cluster };
      const request = { ...STATE.request, cert_request_pem: cluster };
      return {
        resources: [
          resource(`tls_self_signed_cert.${own("ca__kubernetes__g1")}`, { before: ca, after: ca }),
          resource(`tls_self_signed_cert.${own("ca__kubernetes__g2")}`, { actions: ["create"], after: ca }),
          resource(`tls_cert_request.${own("cp-1__apiserver")}`, { before: request, after: request }),
          resource(`tls_locally_signed_cert.${own("cp-1__apiserver")}`, {
            actions: REPLACE,
            replace_paths: [["ready_for_renewal"]],
            before: leaf,
            after: leaf,
          }),
        ],
        entry: {
          kind: "certificate",
          cluster,
          name: "apiserver",
          holder: "cp-1",
          addresses: [`tls_locally_signed_cert.${own("cp-1__apiserver")}`],
          files: [{ holder: "cp-1", path: "/etc/x.crt", kind: "certificate", consumers }],
        },
      };
    });
    const inventory = {
      schemaVersion: 2,
      stack: "s",
      entries: clusters.map(({ entry }) => entry),
    } as unknown as Inventory;
    const found = report(plan(clusters.flatMap(({ resources }) => resources)), [inventory]);
    expect(found.components.map(({ cluster, holders }) => [cluster, holders])).toEqual([
      ["blue", ["cp-1"]],
      ["green", ["cp-1"]],
    ]);
    const text = renderText(found);
    for (const line of [
      "blue: kubernetes: g1 ",
      "green: kubernetes: g1 ",
      "kube-apiserver: restart on blue: cp-1 (",
      "kube-apiserver: restart on green: cp-1 (",
    ]) {
      expect(text).toContain(`\n  ${line}`);
    }
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
      schemaVersion: 3,
      counts: { issue: 500 },
      changes: [],
      truncated: true,
    });
  });

  test("keeps in JSON that the plan holds more than it may, whatever that is", () => {
    const outputs = Array.from({ length: 5000 }, (_, index) => `output-${index}`);
    const notAllowed = outputs.map((name) => `output ${name}`);
    const text = renderJson({ ...many(1), outputs, notAllowed }, { maxBytes: 1000 });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1000);
    expect(JSON.parse(text)).toMatchObject({ outputs: [], notAllowed: ["output output-0"], truncated: true });
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
      {
        cluster: "pki",
        component: "kubelet",
        action: "restart",
        holders: ["cp-1.example.com"],
        files: ["/etc/x.conf"],
      },
      {
        cluster: "pki",
        component: "kube-apiserver",
        action: "reload",
        holders: ["cp-1.example.com"],
        files: ["/etc/x.crt"],
      },
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
