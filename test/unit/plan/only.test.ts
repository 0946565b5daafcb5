import { planReport } from "../../../lib/plan/judge/report";
import type { Inventory } from "../../../lib/plan/read/inventory";
import { readPlan } from "../../../lib/terraform-json/plan";
import { ADDRESS, Change, configuration, deployed, LINKS, REPLACE, resource, STATE } from "./plans";

const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${"leaf".repeat(30)}\n-----END CERTIFICATE-----\n`;
const LEAF = { ...STATE.leaf, cert_pem: CERTIFICATE };
const { cert_pem: _, validity_end_time: __, ...KEPT } = LEAF;
const RENEWAL: Change = {
  actions: REPLACE,
  replace_paths: [["ready_for_renewal"]],
  before: LEAF,
  after: KEPT,
  after_unknown: { cert_pem: true, validity_end_time: true },
};

/** What a plan holds besides renewals. */
function besides(changes: Parameters<typeof deployed>[0], more: object = {}, inventories: readonly Inventory[] = []) {
  const { notAllowed } = planReport(readPlan(deployed(changes, more)), { only: ["renew"], inventories });
  return notAllowed;
}

describe("a renewal", () => {
  test("is no more than that", () => {
    expect(besides({ leaf: RENEWAL })).toEqual([]);
  });

  test("with another time of its own renewal is more: Terraform replaces nothing for that", () => {
    const leaf = { ...RENEWAL, after: { ...KEPT, early_renewal_hours: 1 } };
    expect(besides({ leaf })).toEqual(["other earlyRenewalHours of cp-1/apiserver"]);
  });
});

describe("a Secret of what is renewed", () => {
  const SECRET = "kubernetes_secret_v1.web";
  const metadata = [{ name: "web", namespace: "shop" }];
  const DATA: Record<string, string> = { "tls.crt": CERTIFICATE, "tls.key": STATE.key.private_key_pem };
  const REFERENCES = [`${ADDRESS.leaf}.cert_pem`, `${ADDRESS.key}.private_key_pem`];

  interface Given {
    readonly data?: Record<string, string>;
    readonly change?: Change;
    /** What the code puts into it besides. */
    readonly more?: readonly string[];
    readonly keys?: readonly string[];
  }

  /** As the kubernetes provider plans it: where a part of the data is still to come, all of it is. */
  function given({ data = DATA, change = {}, more = [], keys = ["tls.crt", "tls.key"] }: Given) {
    const before = { type: "kubernetes.io/tls", metadata, data };
    const after = { type: "kubernetes.io/tls", metadata };
    const unknown = { data: true, metadata: [{ annotations: {}, labels: {} }] };
    const secret = resource(SECRET, { actions: ["update"], before, after, after_unknown: unknown, ...change });
    const document = deployed({ leaf: RENEWAL });
    const { resources: configured } = configuration(LINKS).root_module;
    const expressions = { data: { references: [...REFERENCES, ...more] } };
    const files = keys.map((key) => {
      return { holder: "cluster", path: `Secret/shop/web#${key}`, kind: "secret", consumers: [] };
    });
    const entry = { kind: "certificate", cluster: "pki", name: "apiserver", holder: "cp-1", addresses: [ADDRESS.leaf] };
    const inventory = { schemaVersion: 2, stack: "prod", entries: keys.length > 0 ? [{ ...entry, files }] : [] };
    return besides(
      { leaf: RENEWAL },
      {
        resource_changes: [...(document.resource_changes as object[]), secret],
        configuration: {
          root_module: { resources: [...configured, { address: SECRET, mode: "managed", expressions }] },
        },
      },
      [inventory as unknown as Inventory],
    );
  }

  test("is a part of the renewal", () => {
    expect(given({})).toEqual([]);
  });

  test.each([0, 1, 2])("is one with a kubeconfig in it, too: base64 with something before it, %#", (shift) => {
    const chain = Buffer.from(`${"x".repeat(shift)}${CERTIFICATE}${CERTIFICATE}`).toString("base64");
    expect(given({ data: { ...DATA, "tls.crt": `client-certificate-data: ${chain}\n` } })).toEqual([]);
  });

  test.each<[string, Given]>([
    ["that no inventory has", { keys: [] }],
    ["that gets another key", { keys: ["tls.crt", "tls.key", "ca.key"] }],
    ["that gets something that was not in it", { more: [`${ADDRESS.caKey}.private_key_pem`] }],
    ["that gets something that is new", { more: ["random_password.new.result"] }],
    ["that gets what nobody can follow", { more: ["local.more"] }],
    ["that was of another certificate", { data: { ...DATA, "tls.crt": "another certificate" } }],
    ["that is made anew", { change: { actions: REPLACE } }],
    ["that has another name", { change: { after: { type: "kubernetes.io/tls", metadata: [{ name: "x" }] } } }],
    ["that has another label", { change: { after_unknown: { data: true, metadata: [{ labels: { x: true } }] } } }],
  ])("is more where it is one %s", (_, secret) => {
    expect(given(secret)).toEqual([expect.stringMatching(/^1 (update|issue|remove)$/)]);
  });
});
