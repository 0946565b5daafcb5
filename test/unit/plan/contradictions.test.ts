import { planReport } from "../../../lib/plan/judge/report";
import type { Inventory } from "../../../lib/plan/read/inventory";
import { readPlan } from "../../../lib/terraform-json/plan";
import { ADDRESS, configuration, deployed, LINKS, plan, REPLACE, resource } from "./plans";

const BINDING = "kubernetes_cluster_role_binding_v1.x";
const bound = {
  metadata: [{ name: "x" }],
  role_ref: [{ kind: "ClusterRole", name: "view" }],
  subject: [{ kind: "User", name: "jane" }],
};
const LEAF = { leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]] } };
const GONE = { actions: ["delete"], after: null };

const AUTHORITY = {
  ...{ kind: "authority", cluster: "pki", name: "kubernetes", generation: "g1", state: "active" },
  ...{ addresses: [ADDRESS.ca, ADDRESS.caKey], files: [] },
};
const CERTIFICATE = {
  ...{ kind: "certificate", cluster: "pki", name: "apiserver", holder: "cp-1", issuedBy: "terraform" },
  ...{ subject: "CN=kube-apiserver", usage: "server", sans: ["kubernetes", "cp-1", "10.0.0.11"] },
  ...{ validityHours: 8760, earlyRenewalHours: 720, keyAlgorithm: "ECDSA-P256" },
  ...{ addresses: [ADDRESS.leaf, ADDRESS.request, ADDRESS.key], files: [] },
};
const GRANT = { kind: "binding", name: "x", role: "ClusterRole/view", subjects: ["User/jane"], addresses: [BINDING] };

function read(document: object, ...entries: object[]) {
  const inventory = { schemaVersion: 2, stack: "prod", entries } as unknown as Inventory;
  return planReport(readPlan(document), { inventories: [inventory] });
}

const granted = plan([resource(BINDING, { actions: ["create"], after: bound })]);

test("an inventory of the same synth is read", () => {
  expect(read(deployed(LEAF), AUTHORITY, CERTIFICATE).counts).toEqual({ renew: 1 });
  expect(read(granted, GRANT).counts).toEqual({ grant: 1 });
});

test.each<[string, object, object[], string]>([
  [
    "subject",
    deployed(LEAF),
    [{ ...CERTIFICATE, subject: "CN=x" }],
    "the subject CN=x there, and CN=kube-apiserver in",
  ],
  ["usages", deployed(LEAF), [{ ...CERTIFICATE, usage: "client" }], "the usages client there, and server in"],
  ["names", deployed(LEAF), [{ ...CERTIFICATE, sans: [] }], "the names none there, and 10.0.0.11, cp-1, kubernetes in"],
  ["validity", deployed(LEAF), [{ ...CERTIFICATE, validityHours: 24 }], "the hours 24 there, and 8760 in"],
  ["renewal", deployed(LEAF), [{ ...CERTIFICATE, earlyRenewalHours: 1 }], "early renewal 1 there, and 720 in"],
  ["key", deployed(LEAF), [{ ...CERTIFICATE, keyAlgorithm: "RSA-2048" }], "the key RSA-2048 there, and ECDSA-P256 in"],
  [
    "role",
    granted,
    [{ ...GRANT, role: "ClusterRole/edit" }],
    "the role ClusterRole/edit there, and ClusterRole/view in",
  ],
  ["subjects", granted, [{ ...GRANT, subjects: [] }], "the subjects none there, and User/jane in"],
  ["missing certificate", deployed(LEAF), [AUTHORITY], "cp-1/apiserver is missing there"],
  [
    "certificate too many",
    deployed(
      { key: GONE, request: GONE, leaf: GONE },
      { configuration: configuration(LINKS.filter(([from]) => from === ADDRESS.ca)) },
    ),
    [AUTHORITY, CERTIFICATE],
    `it has ${ADDRESS.leaf}, and the plan's code has no such resource`,
  ],
])("one of another synth is refused for its %s, with both values", (_, document, entries, text) => {
  expect(() => read(document, ...entries)).toThrow(text);
});

test("what is not known yet contradicts nothing, and neither does what nothing happens to", () => {
  expect(() => read(deployed(LEAF), { ...CERTIFICATE, subject: "CN=(known after apply)" })).not.toThrow();
  expect(() => read(deployed(), { ...CERTIFICATE, subject: "CN=x" })).not.toThrow();
});
