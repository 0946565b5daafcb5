import { planReport } from "../../../lib/plan/judge/report";
import { parseInventory } from "../../../lib/plan/read/inventory";
import { renderJson } from "../../../lib/plan/render/json";
import { renderMarkdown } from "../../../lib/plan/render/markdown";
import { renderText } from "../../../lib/plan/render/text";
import { readPlan } from "../../../lib/terraform-json/plan";
import { UnusableError } from "../../../lib/terraform-json/unusable";
import { ModuleChain } from "../../bench/module-chain";
import { planFile } from "../../bench/plan-file";
import { mutations, Random } from "./mutations";
import {
  ADDRESS,
  CERTIFICATE,
  configuration,
  deployed,
  file,
  LINKS,
  outputChanges,
  plan,
  REPLACE,
  resource,
  STATE,
} from "./plans";

/** More of them are asked for by who looks for what is still unknown: MUTATIONS=100000 SEED=7 */
const MUTATIONS = Number(process.env["MUTATIONS"] ?? 400);
const SEED = Number(process.env["SEED"] ?? 1);
/** Far above what any takes here, and far below what one takes that grows faster than its input. */
const MAX_MILLISECONDS = 5000;

const OUTPUTS = outputChanges(
  { files: { "cp-1": { "/a": file(CERTIFICATE(ADDRESS.leaf)) } }, ca: { kubernetes: { g1: "active" } } },
  { files: { "cp-1": { "/b": file("x", CERTIFICATE(ADDRESS.leaf)) } }, ca: { kubernetes: { g1: "retired" } } },
);
const SUBJECT = { kind: "Group", name: "system:masters", api_group: "rbac.authorization.k8s.io" };
const BINDING = {
  metadata: [{ name: "a" }],
  role_ref: [{ kind: "ClusterRole", name: "cluster-admin" }],
  subject: [SUBJECT],
};
const TOKEN = { metadata: [{ name: "t", namespace: "kube-system" }], type: "bootstrap.kubernetes.io/token" };
const CREATE = { actions: ["create"], before: null };

const DOCUMENTS: readonly object[] = [
  deployed(),
  deployed({ leaf: { actions: REPLACE, replace_paths: [["ca_cert_pem"], ["ready_for_renewal"]] } }, OUTPUTS),
  deployed(
    { key: { actions: REPLACE, replace_paths: [["algorithm"]] }, leaf: null },
    {
      errored: true,
      prior_state: {
        values: { root_module: { child_modules: [{ resources: leafInState() }], resources: leafInState() } },
      },
      checks: [{ status: "fail", address: { to_display: "check.x" } }],
      resource_drift: [resource(ADDRESS.leaf, { actions: ["update"], before: STATE.leaf, after: STATE.request })],
    },
  ),
  plan(
    [
      resource("kubernetes_cluster_role_binding_v1.a", { ...CREATE, after: BINDING }),
      resource("kubernetes_role_binding.b", {
        actions: ["update"],
        before: BINDING,
        after: { ...BINDING, subject: [] },
      }),
      resource("kubernetes_secret_v1.token", { ...CREATE, after: TOKEN }),
      resource(
        "random_password.token",
        { ...CREATE, after: { length: 16 } },
        { previous_address: "random_password.t" },
      ),
      resource("time_rotating.token", { ...CREATE, after: { rotation_days: 1 } }),
      resource("terraform_data.pki__ca__kubernetes__g1", { before: { input: STATE.ca, output: STATE.ca } }),
      resource('tls_private_key.x["a"]', { ...CREATE, after: STATE.key }, { previous_address: "tls_private_key.x[0]" }),
      resource("local_file.x", { ...CREATE, after: {} }),
    ],
    {
      configuration: configuration([...LINKS, ["kubernetes_secret_v1.token", "data", "random_password.token.result"]]),
    },
  ),
  JSON.parse(planFile(16)) as object,
  JSON.parse(new ModuleChain(4, 2).plan()) as object,
];

function leafInState(): object[] {
  const [type, name] = ADDRESS.leaf.split(".");
  return [{ address: ADDRESS.leaf, mode: "managed", type, name, values: STATE.leaf, sensitive_values: {} }];
}

const CONSUMER = { component: "kube-apiserver", via: "file", onChange: "restart" };
const FILE = { holder: "cp-1", path: "/a", kind: "certificate", consumers: [CONSUMER] };
const OF_CLUSTER = { cluster: "pki", path: "pki/x", purpose: "certificate for the API server" };
const INVENTORY = {
  schemaVersion: 2,
  stack: "pki",
  entries: [
    { ...OF_CLUSTER, kind: "certificate", name: "apiserver", holder: "cp-1", addresses: [ADDRESS.leaf], files: [FILE] },
    {
      ...OF_CLUSTER,
      kind: "authority",
      name: "kubernetes",
      generation: "g1",
      state: "active",
      addresses: [ADDRESS.ca],
    },
    { kind: "token", name: "t", addresses: ["random_password.token"], exceptions: [{ code: "a", reason: "b" }] },
  ],
};

/** The error where there is one that no user should see. */
function failure(document: object, inventory: object = INVENTORY): string | undefined {
  const start = performance.now();
  try {
    const inventories = [parseInventory(JSON.stringify(inventory), "inventory")];
    const report = planReport(readPlan(document), { nextRunHours: 24, inventories });
    renderText(report);
    renderText(report, { maxBytes: 1000 });
    renderMarkdown(report);
    renderMarkdown(report, { maxBytes: 1000 });
    renderJson(report, { maxBytes: 1000 });
    const milliseconds = performance.now() - start;
    return milliseconds > MAX_MILLISECONDS ? `${milliseconds} ms` : undefined;
  } catch (error) {
    return error instanceof UnusableError ? undefined : String((error as Error).stack);
  }
}

test("what is broken in any way gives a report, or a line that says what is wrong", () => {
  const random = new Random(SEED);
  const failures = new Map<string, number>();
  const makers = DOCUMENTS.map((document) => mutations(document));
  for (let count = 0; count < MUTATIONS; count++) {
    const found = failure(makers[count % makers.length]!(random));
    const where = found
      ?.split("\n")
      .slice(0, 4)
      .join("\n")
      .replace(/\d+ ms/, "too long");
    if (where !== undefined) {
      failures.set(where, (failures.get(where) ?? 0) + 1);
    }
  }
  expect([...failures]).toEqual([]);
});

test("an inventory that is broken in any way, too", () => {
  const random = new Random(SEED);
  const make = mutations(INVENTORY, 400);
  const failures = Array.from({ length: MUTATIONS }, (_, count) => {
    return failure(DOCUMENTS[count % DOCUMENTS.length]!, make(random));
  });
  expect(failures.filter((found) => found !== undefined)).toEqual([]);
  const deep = JSON.stringify(INVENTORY).replace(
    /"kind":"token"/,
    `$&,"x":${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  );
  expect(() => parseInventory(deep, "inventory")).toThrow(/^inventory is no inventory: /);
});

test("names that every object has are names like others", () => {
  const changes = planReport(
    readPlan(
      deployed(
        { leaf: { actions: REPLACE, replace_paths: [["constructor"], ["__proto__"]] } },
        { ...outputChanges({ ca: { constructor: { g1: "active" } } }, {}) },
      ),
    ),
  ).changes;
  expect(changes).toMatchObject([{ reasons: [{ text: "constructor changes" }, { text: "__proto__ changes" }] }]);
  const leaf = resource(ADDRESS.leaf, { actions: ["constructor"] }, { action_reason: "valueOf" });
  expect(planReport(readPlan(plan([leaf]))).changes).toMatchObject([{ verbs: ["update"] }]);
});

test("an impossible time is not shown, and stops nothing", () => {
  const leaf = { ...STATE.leaf, validity_end_time: "2026-99-99T99:99:99Z" };
  const { changes } = planReport(readPlan(deployed({ leaf: { actions: ["delete"], before: leaf, after: null } })));
  expect(changes).toMatchObject([{ before: { notAfter: "(not shown)" } }]);
});

test.each(["[", '{"a":'])("what is nested without end by %s is refused in one line", (level) => {
  const deep = (levels: number) =>
    JSON.parse(
      level.repeat(levels) + (level === "[" ? "" : "0") + (level === "[" ? "]" : "}").repeat(levels),
    ) as unknown;
  const places: ((value: unknown) => object)[] = [
    (value) => deployed({ leaf: { actions: ["update"], after: { ...STATE.leaf, allowed_uses: value } } }),
    (value) => deployed({ leaf: { actions: ["update"], after_unknown: value, after_sensitive: value } }),
    (value) => deployed({}, { configuration: { root_module: { module_calls: { m: { module: value } } } } }),
    (value) => deployed({}, { prior_state: { values: { root_module: { child_modules: value } } } }),
    (value) => deployed({}, { output_changes: { pki_files: { before: value, after: value } } }),
  ];
  for (const place of places) {
    expect(() => planReport(readPlan(place(deep(400))))).not.toThrow();
    expect(() => readPlan(place(deep(100_000)))).toThrow(
      new UnusableError(
        "the document is nested deeper than 500 levels: give the output of `terraform show -json <plan>`",
      ),
    );
  }
});
