import type { Inventory } from "../../../lib/inventory-schema";
import {
  ADDRESS,
  CERTIFICATE,
  Change,
  configuration,
  deployed,
  file,
  outputChanges,
  plan,
  PRIVATE_KEY,
  REPLACE,
  report,
  resource,
  STATE,
} from "./plans";
import type { DangerCode } from "../../../lib/plan/judge/danger";
import { DANGERS } from "../../../lib/plan/judge/dangers";
import { ACCESS_DANGERS } from "../../../lib/plan/judge/dangers/access";
import { CERTIFICATE_DANGERS } from "../../../lib/plan/judge/dangers/certificates";
import { GENERATION_DANGERS } from "../../../lib/plan/judge/dangers/generations";
import { TOKEN_DANGERS } from "../../../lib/plan/judge/dangers/tokens";
import type { ReportOptions } from "../../../lib/plan/judge/report";

const seen = new Set<DangerCode>();

function dangers(document: object, options?: ReportOptions) {
  const found = report(document, options).dangers;
  found.forEach(({ code }) => seen.add(code));
  return found.map(({ code, name = "", reaches }) => [code, name, ...reaches]);
}

const GONE: Change = { actions: ["delete"], after: null };
const G2 = "tls_self_signed_cert.pki__ca__kubernetes__g2";
const g2Key = "tls_private_key.pki__ca__kubernetes__g2";
const files = (key: string, ...authorities: string[]) => ({
  "cp-1": { "/ca.crt": file(...authorities.map(CERTIFICATE)), "/ca.key": file(PRIVATE_KEY(key)) },
});
const stage = (kubernetes: object, files: object) => ({ files, ca: { kubernetes } });
const alone = stage({ g1: "active" }, files(ADDRESS.caKey, ADDRESS.ca));

/** What has no file of its own beside this one. */
const OWN = Object.keys(DANGERS).filter(
  (code) => !(code in { ...GENERATION_DANGERS, ...CERTIFICATE_DANGERS, ...ACCESS_DANGERS, ...TOKEN_DANGERS }),
);

afterAll(() => expect([...seen].sort()).toEqual(expect.arrayContaining(OWN)));

describe("an authority", () => {
  const replaced: Change = {
    actions: REPLACE,
    replace_paths: [["subject"]],
    after: { ...STATE.ca, subject: [{ common_name: "other" }] },
  };

  test("that is replaced in place is a danger, and reaches all that it signed", () => {
    expect(dangers(deployed({ ca: replaced }))).toEqual([["authority-replaced", "kubernetes g1", "cp-1/apiserver"]]);
  });

  test("whose key is replaced in place is one, too", () => {
    expect(dangers(deployed({ caKey: { actions: REPLACE }, ca: replaced }))[0]![0]).toBe("authority-replaced");
  });

  test("from outside whose certificate changes is one, too", () => {
    const address = "terraform_data.pki__ca__kubernetes__g1";
    const [before, after] = ["old", "new"].map((certificate_pem) => ({
      input: { certificate_pem },
      output: { certificate_pem },
    }));
    const document = plan([
      resource(address, {
        actions: ["update"],
        before,
        after: { input: after!.input },
        after_unknown: { output: true },
      }),
    ]);
    expect(dangers(document)).toEqual([["authority-replaced", "kubernetes g1"]]);
  });

  test("that is removed from the code though it signs is one", () => {
    const document = deployed({ caKey: GONE, ca: GONE }, outputChanges(alone, {}));
    expect(dangers(document)).toEqual([["generation-not-retired", "kubernetes g1", "cp-1/apiserver"]]);
  });

  test("of no generation whose key is destroyed is one", () => {
    const values = { is_ca_certificate: true, cert_pem: "x", private_key_pem: "k" };
    const document = plan([
      resource("tls_self_signed_cert.root", { ...GONE, before: values }),
      resource("tls_private_key.root", { ...GONE, before: { private_key_pem: "k" } }),
    ]);
    expect(dangers(document)).toEqual([["key-destroyed", "root"]]);
  });

  const forgotten: Change = { ...GONE, actions: ["forget"] };

  test("that Terraform lets go of with all that it signed is none: nothing is destroyed", () => {
    const parts = { caKey: forgotten, ca: forgotten, key: forgotten, request: forgotten, leaf: forgotten };
    expect(dangers(deployed(parts, outputChanges(alone, {})))).toEqual([]);
    const found = report(deployed(parts, outputChanges(alone, {})));
    expect(found.changes.map(({ name, reasons }) => [name, ...reasons.map(({ text }) => text)])).toEqual([
      ["kubernetes g1", "Terraform lets go of it without deleting it"],
      ["cp-1/apiserver", "Terraform lets go of it without deleting it"],
    ]);
  });

  test("that Terraform lets go of while it is taken out of the files is one for what it signed", () => {
    const document = deployed({ caKey: forgotten, ca: forgotten }, outputChanges(alone, {}));
    expect(dangers(document)).toEqual([["trust-removed", "kubernetes g1", "cp-1/apiserver"]]);
  });
});

describe("a key pair", () => {
  const address = "tls_private_key.pki__keys__service-account__g1";
  const key = { algorithm: "RSA", rsa_bits: 2048 };

  test.each([
    ["is replaced", { actions: REPLACE, before: key, after: key }],
    ["is destroyed", { ...GONE, before: key }],
  ])("that %s is a danger", (_, change) => {
    expect(dangers(plan([resource(address, change)]))).toEqual([["key-destroyed", "service-account g1"]]);
  });
});

describe("a rotation", () => {
  const create: Change = { actions: ["create"], before: null };
  const withG2 = (changes: Parameters<typeof deployed>[0], own: Change, more: object) => {
    const document = deployed(changes, more);
    const g2 = { ...STATE.ca, cert_pem: "ca g2", private_key_pem: "g2" };
    (document.resource_changes as object[]).push(
      resource(g2Key, { before: { private_key_pem: "g2" }, after: {}, ...own }),
      resource(G2, { before: g2, after: g2, ...own }),
    );
    document.configuration = configuration([
      [ADDRESS.ca, "private_key_pem", `${ADDRESS.caKey}.private_key_pem`],
      [G2, "private_key_pem", `${g2Key}.private_key_pem`],
      [ADDRESS.leaf, "ca_cert_pem", `${G2}.cert_pem`],
    ]);
    return document;
  };
  const signedAgain: Change = {
    actions: REPLACE,
    replace_paths: [["ca_cert_pem"], ["ca_private_key_pem"]],
    // Terraform leaves out what is still to come.
    after: { ...STATE.leaf, cert_pem: undefined, ca_cert_pem: undefined, ca_private_key_pem: undefined },
  };

  test("that introduces and promotes in one step is a danger", () => {
    const document = withG2(
      { leaf: signedAgain },
      create,
      outputChanges(alone, stage({ g1: "trusted", g2: "active" }, files(g2Key, G2, ADDRESS.ca))),
    );
    expect(dangers(document)).toEqual([["introduced-and-promoted", "kubernetes g2", "cp-1/apiserver"]]);
  });

  test("that promotes and retires in one step is a danger: what is in use still chains to the old one", () => {
    const document = withG2(
      { leaf: signedAgain },
      {},
      outputChanges(
        stage({ g1: "active", g2: "trusted" }, files(ADDRESS.caKey, ADDRESS.ca, G2)),
        stage({ g1: "retired", g2: "active" }, files(g2Key, G2)),
      ),
    );
    expect(dangers(document)).toEqual([["trust-removed", "kubernetes g1", "cp-1/apiserver"]]);
  });
});

describe("a stale certificate", () => {
  test("is one that is updated in place with another request", () => {
    const after = { ...STATE.leaf, cert_request_pem: "another" };
    expect(dangers(deployed({ leaf: { actions: ["update"], after } }))).toEqual([
      ["unreadable", "cp-1/apiserver"],
      ["stale-certificate", "cp-1/apiserver"],
    ]);
  });

  test("is one that is updated in place with an authority that is not known yet", () => {
    const after_unknown = { ca_cert_pem: true };
    expect(dangers(deployed({ leaf: { actions: ["update"], after_unknown } }))[0]![0]).toBe("stale-certificate");
  });

  test("is one that stays while its request is replaced", () => {
    const request: Change = { actions: REPLACE, replace_paths: [["dns_names"]] };
    expect(dangers(deployed({ request }))).toEqual([["stale-certificate", "cp-1/apiserver"]]);
  });

  test("is none that is only renewed at another time", () => {
    expect(
      dangers(deployed({ leaf: { actions: ["update"], after: { ...STATE.leaf, early_renewal_hours: 1 } } })),
    ).toEqual([]);
  });
});

describe("access", () => {
  const masters = { ...STATE.request, subject: [{ common_name: "x", organization: "system:masters" }] };
  const issued = deployed({
    request: { actions: ["create"], before: null, after: masters },
    leaf: { actions: ["create"], before: null },
  });

  test("of a new certificate in system:masters is a danger", () => {
    expect(dangers(issued)).toEqual([["system-masters", "cp-1/apiserver"]]);
  });

  test("of one in system:masters that is renewed is none", () => {
    const leaf: Change = { actions: REPLACE, replace_paths: [["ready_for_renewal"]] };
    expect(dangers(deployed({ request: { before: masters, after: masters }, leaf }))).toEqual([]);
  });

  test("of one that the distribution needs, and says why, is none", () => {
    const exceptions = [{ code: "system-masters", reason: "the way in before any binding exists" }];
    const entry = { kind: "certificate", name: "super-admin", addresses: [ADDRESS.leaf], files: [], exceptions };
    const inventories = [{ schemaVersion: 2, stack: "prod", entries: [entry] } as unknown as Inventory];
    expect(dangers(issued, { inventories })).toEqual([]);
  });

  const binding = (role: string, ...names: string[]) => ({
    role_ref: [{ kind: "ClusterRole", name: role }],
    subject: names.map((name) => ({ kind: "User", name })),
  });
  const bound = (change: Change) => dangers(plan([resource("kubernetes_cluster_role_binding.x", change)]));

  test.each([
    ["a new cluster-admin", { actions: ["create"], after: binding("cluster-admin", "jane") }, 1],
    [
      "one more cluster-admin",
      { actions: ["update"], before: binding("cluster-admin", "jane"), after: binding("cluster-admin", "jane", "joe") },
      1,
    ],
    [
      "one cluster-admin less",
      { actions: ["update"], before: binding("cluster-admin", "jane", "joe"), after: binding("cluster-admin", "jane") },
      0,
    ],
    ["a smaller role", { actions: ["create"], after: binding("view", "jane") }, 0],
    [
      "a bigger role",
      { actions: REPLACE, before: binding("view", "jane"), after: binding("cluster-admin", "jane") },
      1,
    ],
  ])("of %s: %#", (_, change, count) => {
    expect(bound(change)).toEqual(Array(count).fill(["cluster-admin", "x"]));
  });
});

describe("the next run", () => {
  test("must come within the renewal window of every certificate", () => {
    expect(dangers(deployed(), { nextRunHours: 720 })).toEqual([]);
    expect(dangers(deployed(), { nextRunHours: 721 })).toEqual([["renewal-window", "", "cp-1/apiserver"]]);
    expect(dangers(deployed())).toEqual([]);
  });
});

describe("a failed plan", () => {
  /** As both engines write it: what depends on the refused change stands in the state before alone. */
  const failed = (changes: Parameters<typeof deployed>[0], missing: readonly (keyof typeof ADDRESS)[]) =>
    deployed(Object.fromEntries([...Object.entries(changes!), ...missing.map((part) => [part, null])]), {
      errored: true,
      prior_state: {
        values: {
          root_module: {
            resources: Object.entries(ADDRESS).map(([part, address]) => {
              const [type, name] = address.split(".");
              return { address, mode: "managed", type, name, values: STATE[part as keyof typeof ADDRESS] };
            }),
          },
        },
      },
    });

  test("tells what the refused change would have reached", () => {
    const document = failed({ ca: { actions: REPLACE, replace_paths: [["subject"]] } }, ["leaf"]);
    const found = report(document);
    expect(found.dangers.map(({ code }) => code)).toEqual(["plan-failed", "authority-replaced"]);
    expect(found.dangers[0]!.message).toContain("prevent_destroy protects what would be destroyed: kubernetes g1.");
    expect(found.changes.map(({ name, verbs, planned }) => [name, verbs, planned])).toEqual([
      ["kubernetes g1", ["re-issue"], true],
      ["cp-1/apiserver", ["re-issue"], false],
    ]);
    dangers(document);
  });

  test("of another reason says that, and does not invent changes", () => {
    const found = report(failed({}, ["leaf", "request"]));
    expect(found).toMatchObject({ verdict: "danger", changes: [] });
    expect(found.dangers.map(({ code, fix }) => [code, fix])).toEqual([["plan-failed", "see what Terraform printed"]]);
  });
});

// More of both in styles.test.ts and files.test.ts.
test("what cannot be read, and a private key that moves, are dangers", () => {
  const request: Change = { actions: ["create"], before: null, after_unknown: { dns_names: true }, after: {} };
  const leaf: Change = { actions: ["create"], before: null };
  expect(dangers(deployed({ request, leaf }))).toEqual([["unreadable", "cp-1/apiserver"]]);
  const key = file(PRIVATE_KEY(ADDRESS.key));
  const moved = outputChanges({ files: { "cp-1": { "/a": key } } }, { files: { "cp-1": { "/b": key } } });
  expect(dangers(deployed({}, moved))).toEqual([["key-exposed", "cp-1/apiserver"]]);
});
