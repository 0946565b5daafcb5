import {
  ADDRESS,
  CERTIFICATE,
  configuration,
  deployed,
  file,
  plan,
  PRIVATE_KEY,
  REPLACE,
  report,
  resource,
  LINKS,
  SECRET,
  outputChanges,
  STATE,
} from "./plans";
import type { Inventory } from "../../../lib/inventory-schema";
import { jsonTexts } from "../../support/json-texts";
import type { IdentityChange } from "../../../lib/plan/judge/report";

/** The only change. */
function change(document: object): IdentityChange {
  const { changes } = report(document);
  expect(changes.map(({ name, verbs }) => `${verbs.join()} ${name}`)).toHaveLength(1);
  return changes[0]!;
}

const UNKNOWN = { cert_pem: true };
const without = (values: object, ...names: string[]) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

describe("a certificate", () => {
  test("that nothing happens to is not told", () => {
    expect(report(deployed())).toMatchObject({ verdict: "nothing", changes: [], dangers: [] });
  });

  test("is issued where there was none, with what will stand in it", () => {
    const create = { actions: ["create"], before: null };
    const { verbs, before, after } = change(
      deployed({
        key: { ...create, after: without(STATE.key, "private_key_pem") },
        request: { ...create, after: without(STATE.request, "cert_request_pem", "private_key_pem") },
        leaf: {
          ...create,
          after: without(STATE.leaf, "cert_pem", "cert_request_pem", "ca_cert_pem", "validity_end_time"),
        },
      }),
    );
    expect({ verbs, before }).toEqual({ verbs: ["issue"], before: undefined });
    expect(after).toEqual({
      subject: "CN=kube-apiserver",
      sans: ["10.0.0.11", "cp-1", "kubernetes"],
      usages: ["server_auth"],
      issuer: "kubernetes g1",
      keyAlgorithm: "ECDSA-P256",
      validityHours: 8760,
      earlyRenewalHours: 720,
    });
  });

  test("is renewed where only its time has come", () => {
    const renewed = change(
      deployed({
        leaf: {
          actions: REPLACE,
          replace_paths: [["ready_for_renewal"]],
          after: without(STATE.leaf, "cert_pem", "validity_end_time"),
          after_unknown: { ...UNKNOWN, validity_end_time: true },
        },
      }),
    );
    expect(renewed).toMatchObject({
      name: "cp-1/apiserver",
      verbs: ["renew"],
      reasons: [{ code: "renewal-due" }],
      before: { notAfter: "2027-01-01T00:00:00Z" },
      addresses: [ADDRESS.leaf],
    });
    expect(renewed.after).not.toHaveProperty("notAfter");
  });

  test("is issued again where a name comes and one goes", () => {
    const { verbs, reasons, differences } = change(
      deployed({
        request: {
          actions: REPLACE,
          replace_paths: [["dns_names"]],
          after: { ...STATE.request, dns_names: ["cp-1", "new.example.com"] },
        },
        leaf: { actions: REPLACE, replace_paths: [["cert_request_pem"]], after_unknown: UNKNOWN },
      }),
    );
    expect({ verbs, reasons, differences }).toEqual({
      verbs: ["re-issue"],
      reasons: [{ code: "names-changed", text: "its names change" }],
      differences: [{ what: "sans", added: ["new.example.com"], removed: ["kubernetes"] }],
    });
  });

  test("gets a new key at another address, and the old one is not a key that is lost", () => {
    const NEW = "tls_private_key.pki__cp-1__apiserver__k2";
    const document = deployed({
      key: { actions: ["delete"], after: null },
      request: {
        actions: REPLACE,
        replace_paths: [["private_key_pem"]],
        after: without(STATE.request, "private_key_pem"),
      },
      leaf: { actions: REPLACE, replace_paths: [["cert_request_pem"]] },
    });
    const after = { algorithm: "RSA", rsa_bits: 2048, ecdsa_curve: "P224" };
    (document.resource_changes as object[]).push(resource(NEW, { actions: ["create"], after }));
    document.configuration = configuration([
      [ADDRESS.request, "private_key_pem", `${NEW}.private_key_pem`],
      [ADDRESS.leaf, "cert_request_pem", `${ADDRESS.request}.cert_request_pem`],
      [ADDRESS.leaf, "ca_cert_pem", `${ADDRESS.ca}.cert_pem`],
    ]);
    expect(change(document)).toMatchObject({
      verbs: ["re-key"],
      reasons: [{ code: "key-changed" }],
      differences: [{ what: "keyAlgorithm", before: "ECDSA-P256", after: "RSA-2048" }],
      addresses: [ADDRESS.leaf, ADDRESS.request, ADDRESS.key, NEW].sort(),
    });
    expect(report(document).dangers).toEqual([]);
  });

  test("is removed with its request and key", () => {
    const gone = { actions: ["delete"], after: null };
    const reason = { action_reason: "delete_because_no_resource_config" };
    const document = deployed({ key: null, request: null, leaf: null });
    (document.resource_changes as object[]).push(
      ...(["key", "request", "leaf"] as const).map((part) =>
        resource(ADDRESS[part], { ...gone, before: STATE[part] }, reason),
      ),
    );
    expect(change(document)).toMatchObject({
      name: "cp-1/apiserver",
      verbs: ["remove"],
      reasons: [{ code: "not-in-code" }],
    });
    expect(report(document).verdict).toBe("changes");
  });

  test("is updated where only the time of its renewal changes", () => {
    const after = { ...STATE.leaf, early_renewal_hours: 100 };
    expect(change(deployed({ leaf: { actions: ["update"], after } }))).toMatchObject({
      verbs: ["update"],
      reasons: [{ code: "attribute-changed", text: "early_renewal_hours changes" }],
      differences: [{ what: "earlyRenewalHours", before: "720", after: "100" }],
    });
  });

  test("is named by its address where neither inventory nor contract names it", () => {
    const leaf = { ...STATE.leaf, ca_cert_pem: "elsewhere", cert_request_pem: "elsewhere" };
    const due = { actions: REPLACE, replace_paths: [["ready_for_renewal"]], before: leaf, after: leaf };
    const names = [
      "tls_locally_signed_cert.web",
      'module.edge.tls_locally_signed_cert.web["a.b__c"]',
      "tls_locally_signed_cert.web[0]",
    ];
    const { changes } = report(plan(names.map((address) => resource(address, due))));
    expect(changes.map(({ name }) => name)).toEqual(['module.edge.web["a.b__c"]', "web", "web[0]"]);
  });

  test("of several instances has the request and the key of its own", () => {
    const instance = (key: string, name: string) => [
      resource(`tls_private_key.x["${key}"]`, {
        actions: ["create"],
        after: { algorithm: "ECDSA", ecdsa_curve: "P384" },
      }),
      resource(`tls_cert_request.x["${key}"]`, { actions: ["create"], after: { subject: [{ common_name: name }] } }),
      resource(`tls_locally_signed_cert.x["${key}"]`, { actions: ["create"], after: {} }),
    ];
    const links = configuration([
      ["tls_cert_request.x", "private_key_pem", "tls_private_key.x"],
      ["tls_locally_signed_cert.x", "cert_request_pem", "tls_cert_request.x"],
    ]);
    const { changes } = report(plan([...instance("a", "one"), ...instance("b", "two")], { configuration: links }));
    expect(changes.map(({ name, after }) => [name, after?.subject])).toEqual([
      ['x["a"]', "CN=one"],
      ['x["b"]', "CN=two"],
    ]);
  });

  test("in another module than its authority finds it through variables and outputs", () => {
    const links = {
      root_module: {
        module_calls: {
          ca: {
            module: {
              outputs: {
                cert: { expression: { references: ["tls_self_signed_cert.ca.cert_pem", "tls_self_signed_cert.ca"] } },
              },
              resources: [{ address: "tls_self_signed_cert.ca", mode: "managed", expressions: {} }],
            },
          },
          leaf: {
            expressions: { issuer: { references: ["module.ca.cert", "module.ca"] } },
            module: {
              resources: [
                {
                  address: "tls_locally_signed_cert.leaf",
                  mode: "managed",
                  expressions: { ca_cert_pem: { references: ["var.issuer"] } },
                },
              ],
            },
          },
        },
      },
    };
    const create = (address: string, after: object) => resource(address, { actions: ["create"], after });
    const { changes } = report(
      plan(
        [
          create("module.ca.tls_self_signed_cert.ca", { is_ca_certificate: true }),
          create("module.leaf.tls_locally_signed_cert.leaf", {}),
        ],
        { configuration: links },
      ),
    );
    expect(changes.map(({ after }) => after?.issuer)).toEqual(["itself", "module.ca.ca"]);
  });
});

describe("a move and an import", () => {
  test("are told as such, and change nothing", () => {
    const document = deployed();
    for (const entry of document.resource_changes as Record<string, unknown>[]) {
      entry.previous_address = String(entry.address).replace(".pki__", ".old__");
    }
    document.output_changes = {
      old_files: {
        actions: ["delete"],
        before: jsonTexts({ "cp-1": { "/ca.crt": file(CERTIFICATE("tls_self_signed_cert.old__ca__kubernetes__g1")) } }),
      },
      pki_files: { actions: ["create"], after: jsonTexts({ "cp-1": { "/ca.crt": file(CERTIFICATE(ADDRESS.ca)) } }) },
      old_certificates: { actions: ["delete"], before: jsonTexts({ ca: { kubernetes: { g1: "active" } } }) },
      pki_certificates: { actions: ["create"], after: jsonTexts({ ca: { kubernetes: { g1: "active" } } }) },
    };
    const { changes, files, generations, dangers } = report(document);
    expect(changes.map(({ name, verbs }) => `${verbs.join()} ${name}`)).toEqual([
      "move kubernetes g1",
      "move cp-1/apiserver",
    ]);
    expect(changes[1]!.reasons).toEqual([
      { code: "moved", text: `its address was ${ADDRESS.leaf.replace("pki__", "old__")}` },
    ]);
    expect({ files, generations, dangers }).toEqual({ files: [], generations: [], dangers: [] });
  });

  test("an imported binding is not granted by this plan", () => {
    const binding = { metadata: [{ name: "b" }], role_ref: [{ kind: "ClusterRole", name: "view" }], subject: [] };
    const imported = resource("kubernetes_cluster_role_binding_v1.b", {
      before: binding,
      after: binding,
      importing: { id: "b" },
    });
    expect(change(plan([imported])).verbs).toEqual(["import"]);
  });
});

describe("a generation", () => {
  const G2 = { key: "tls_private_key.pki__ca__kubernetes__g2", ca: "tls_self_signed_cert.pki__ca__kubernetes__g2" };
  const [G1] = [ADDRESS];
  const g2 = { ...STATE.ca, cert_pem: "ca g2", private_key_pem: `${SECRET} g2` };
  const bundle = (first: string, ...others: string[]) => file(...[first, ...others].map(CERTIFICATE));
  /** The files of a control plane where one generation signs and others are trusted, too. */
  const files = (key: string, ca: string, ...others: string[]) => ({
    "cp-1": { "/ca.crt": bundle(ca, ...others), "/ca.key": file(PRIVATE_KEY(key)) },
  });
  const stage = (files: object, kubernetes: object) => ({ files, ca: { kubernetes } });
  const both = (changes: Parameters<typeof deployed>[0], own: object, more: object) => {
    const document = deployed(changes, {
      ...more,
      configuration: configuration([...LINKS, [G2.ca, "private_key_pem", `${G2.key}.private_key_pem`]]),
    });
    const key = { ...STATE.caKey, private_key_pem: `${SECRET} g2` };
    (document.resource_changes as object[]).push(
      resource(G2.key, { before: key, after: key, ...own }),
      resource(G2.ca, { before: g2, after: g2, ...own }),
    );
    return document;
  };
  const signedByG2 = (document: Record<string, unknown>) => ({
    ...document,
    configuration: configuration([
      ...LINKS.filter(([from, attribute]) => from !== ADDRESS.leaf || attribute === "cert_request_pem"),
      [ADDRESS.leaf, "ca_cert_pem", `${G2.ca}.cert_pem`],
      [G2.ca, "private_key_pem", `${G2.key}.private_key_pem`],
    ]),
  });
  const only = (document: object) => {
    const { changes, generations, dangers } = report(document);
    return {
      changes: changes.map(({ name, verbs }) => `${verbs.join()} ${name}`),
      generations: generations.map(({ generations: list }) =>
        list.map(({ id, before, after }) => `${id} ${before} ${after}`),
      ),
      dangers: dangers.map(({ code, name }) => `${code} ${name}`),
    };
  };
  const alone = stage(files(G1.caKey, G1.ca), { g1: "active" });
  const introduced = stage(files(G1.caKey, G1.ca, G2.ca), { g1: "active", g2: "trusted" });
  const promoted = stage(files(G2.key, G2.ca, G1.ca), { g1: "trusted", g2: "active" });
  const retired = stage(files(G2.key, G2.ca), { g1: "retired", g2: "active" });

  test("is introduced: trusted, and signs nothing", () => {
    const created = { actions: ["create"], before: null };
    expect(only(both({}, created, outputChanges(alone, introduced)))).toEqual({
      changes: ["introduce kubernetes g2"],
      generations: [["g1 active active", "g2 undefined trusted"]],
      dangers: [],
    });
  });

  test("is promoted, with the files that have another content", () => {
    const document = both({}, {}, outputChanges(introduced, promoted));
    expect(only(document)).toEqual({
      changes: ["promote kubernetes g2"],
      generations: [["g1 active trusted", "g2 trusted active"]],
      dangers: [],
    });
    expect(report(document).files.map(({ holder, path }) => `${holder} ${path}`)).toEqual([
      "cp-1 /ca.crt",
      "cp-1 /ca.key",
    ]);
  });

  test("is retired while nothing chains to it any more", () => {
    const leaf = { ...STATE.leaf, ca_cert_pem: "ca g2" };
    const document = both({ leaf: { before: leaf, after: leaf } }, {}, outputChanges(promoted, retired));
    expect(only(signedByG2(document))).toEqual({
      changes: ["retire kubernetes g1"],
      generations: [["g1 trusted retired", "g2 active active"]],
      dangers: [],
    });
  });

  test("comes back from retirement", () => {
    expect(only(both({}, {}, outputChanges(retired, promoted))).changes).toEqual(["introduce kubernetes g1"]);
  });

  test("is removed without a danger once it was retired", () => {
    const gone = { actions: ["delete"], after: null };
    const leaf = { ...STATE.leaf, ca_cert_pem: "ca g2" };
    const document = both(
      { caKey: gone, ca: gone, leaf: { before: leaf, after: leaf } },
      {},
      outputChanges(retired, retired),
    );
    expect(only(signedByG2(document))).toEqual({
      changes: ["remove kubernetes g1"],
      generations: [["g1 retired undefined", "g2 active active"]],
      dangers: [],
    });
  });

  test("is not active because one certificate stays with it for a while", () => {
    expect(only(both({}, {}, outputChanges(promoted, promoted)))).toEqual({
      changes: [],
      generations: [],
      dangers: [],
    });
  });

  test("of a key pair is promoted, too", () => {
    const keys = (...addresses: string[]) => ({ "cp-1": { "/service.key": file(...addresses.map(PRIVATE_KEY)) } });
    const stage = (files: object, sa: object) => ({ files, keys: { sa } });
    const ring = ["tls_private_key.pki__keys__sa__g1", "tls_private_key.pki__keys__sa__g2"] as const;
    const values = { algorithm: "RSA", rsa_bits: 2048 };
    const document = plan(
      ring.map((address) => resource(address, { before: values, after: values })),
      outputChanges(
        stage(keys(ring[0], ring[1]), { g1: "active", g2: "trusted" }),
        stage(keys(ring[1], ring[0]), { g1: "trusted", g2: "active" }),
      ),
    );
    expect(only(document)).toMatchObject({
      changes: ["promote sa g2"],
      generations: [["g1 active trusted", "g2 trusted active"]],
    });
  });

  test("that is in no cluster stands where its certificates and the inventory say, and is not told while nothing happens", () => {
    const entry = (address: string, generation: string, state: string) =>
      ({ kind: "authority", name: "x", generation, state, addresses: [address], files: [] }) as never;
    const entries = [entry(ADDRESS.ca, "g1", "active"), entry(G2.ca, "g2", "retired")];
    const inventories: Inventory[] = [{ schemaVersion: 2, stack: "own", entries }];
    const { changes, generations } = report(both({}, {}, {}), { inventories });
    expect({ changes, generations }).toEqual({ changes: [], generations: [] });
  });
});

describe("a token", () => {
  const NAME = "access__token__workers";
  const type = "bootstrap.kubernetes.io/token";
  const addresses = [`kubernetes_secret_v1.${NAME}`, `random_password.${NAME}`, `time_rotating.${NAME}`] as const;
  const state = [{ type, metadata: [{ name: "bootstrap-token-abcdef" }] }, { result: SECRET }, {}];
  const token = (changes: readonly object[], more: object = {}) =>
    plan(
      addresses.map((address, index) =>
        resource(address, { before: state[index], after: state[index], ...changes[index] }),
      ),
      {
        configuration: configuration([
          [addresses[0], "data", `${addresses[1]}.result`],
          [addresses[1], "keepers", addresses[2]],
        ]),
        ...more,
      },
    );
  const create = { actions: ["create"], before: null };
  const replace = { actions: REPLACE, replace_paths: [["keepers"]] };

  test("is issued", () => {
    expect(change(token([create, create, create]))).toMatchObject({ kind: "token", name: "workers", verbs: ["issue"] });
  });

  test("is renewed when its time has come", () => {
    expect(change(token([{ actions: REPLACE }, replace, create]))).toMatchObject({
      verbs: ["renew"],
      reasons: [{ code: "rotation-due" }],
    });
  });

  test("is made anew before its time when somebody asks for it", () => {
    const asked = token([{ actions: REPLACE }, { actions: REPLACE }, {}]);
    (asked.resource_changes as Record<string, unknown>[])[1]!.action_reason = "replace_by_request";
    expect(change(asked)).toMatchObject({ verbs: ["re-key"], reasons: [{ code: "requested" }] });
  });

  test("is revoked with its Secret", () => {
    const gone = { actions: ["delete"], after: null };
    expect(change(token([gone, gone, gone]))).toMatchObject({ verbs: ["revoke"] });
  });

  test("that was deleted outside is issued again, and the report says so", () => {
    const gone = [resource(addresses[0], { actions: ["delete"], before: state[0] })];
    const document = token([create, {}, {}], { resource_drift: gone });
    expect(change(document)).toMatchObject({ verbs: ["issue"], reasons: [{ code: "gone" }] });
    expect(report(document).drift).toEqual([{ name: "workers", what: "deleted", differences: [] }]);
  });
});

describe("a binding", () => {
  const binding = (role: string, ...groups: string[]) => ({
    metadata: [{ name: "b" }],
    role_ref: [{ kind: "ClusterRole", name: role }],
    subject: groups.map((name) => ({ kind: "Group", name, namespace: "" })),
  });
  const change_ = (change: object) => plan([resource("kubernetes_cluster_role_binding_v1.access__binding__b", change)]);

  test.each([
    ["grants where it is new", { actions: ["create"], after: binding("view", "a") }, ["grant"]],
    ["takes away where it goes", { actions: ["delete"], before: binding("view", "a") }, ["ungrant"]],
    [
      "grants to one more",
      { actions: ["update"], before: binding("view", "a"), after: binding("view", "a", "b") },
      ["grant"],
    ],
    [
      "takes away from one",
      { actions: ["update"], before: binding("view", "a", "b"), after: binding("view", "a") },
      ["ungrant"],
    ],
    [
      "does both with another role",
      { actions: REPLACE, before: binding("view", "a"), after: binding("edit", "a") },
      ["grant", "ungrant"],
    ],
    [
      "grants nothing with a label",
      { actions: ["update"], before: binding("view", "a"), after: binding("view", "a") },
      ["update"],
    ],
  ])("%s", (_, given, verbs) => {
    expect(change(change_(given))).toMatchObject({ kind: "binding", name: "b", verbs });
  });

  test("shows who comes and goes", () => {
    const given = { actions: ["update"], before: binding("view", "a"), after: binding("view", "b") };
    expect(change(change_(given)).differences).toEqual([
      { what: "subjects", added: ["Group/b"], removed: ["Group/a"] },
    ]);
  });
});

describe("what is no PKI", () => {
  test("is counted and not looked at", () => {
    const { changes, otherChanges, verdict } = report(
      plan([
        resource("aws_instance.x", { actions: ["create"], after: {} }),
        resource("random_password.database", { actions: ["create"], after: {} }),
        resource("kubernetes_secret_v1.application", { actions: ["create"], after: { type: "Opaque" } }),
        resource("terraform_data.x", { actions: ["create"], after: { input: "x" } }),
      ]),
    );
    expect({ changes, otherChanges, verdict }).toEqual({
      changes: [],
      otherChanges: { aws_instance: 1, kubernetes_secret_v1: 1, random_password: 1, terraform_data: 1 },
      verdict: "changes",
    });
  });

  test("a Secret that is made of a certificate is, and belongs to what the certificate's change reaches", () => {
    const secret = { type: "kubernetes.io/tls", metadata: [{ name: "tls", namespace: "web" }] };
    const document = deployed({
      leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]], after_unknown: UNKNOWN },
    });
    (document.resource_changes as object[]).push(
      resource("kubernetes_secret_v1.web", {
        actions: ["update"],
        before: secret,
        after: secret,
        after_unknown: { data: true },
      }),
    );
    const links = (document.configuration as { root_module: { resources: object[] } }).root_module.resources;
    links.push({
      address: "kubernetes_secret_v1.web",
      mode: "managed",
      expressions: { data: { references: [`${ADDRESS.leaf}.cert_pem`, ADDRESS.leaf] } },
    });
    const { changes } = report(document);
    expect(changes.map(({ name, verbs, files }) => [name, verbs, files.map(({ path }) => path)])).toEqual([
      ["cp-1/apiserver", ["renew"], ["Secret/web/tls"]],
      ["web", ["update"], ["Secret/web/tls"]],
    ]);
  });
});
