import { GENERATION_DANGERS } from "../../../../lib/plan/judge/dangers/generations";
import {
  ADDRESS,
  CERTIFICATE,
  Change,
  configuration,
  deployed,
  file,
  Link,
  LINKS,
  MADE,
  outputChanges,
  plan,
  PRIVATE_KEY,
  PublishedParts,
  resource,
  SIGNED_AGAIN,
  STATE,
} from "../plans";
import { codes, inventoryOf, seen } from "./found";

// What was judged before stands in dangers.test.ts.
const HERE = [
  "introduced-and-promoted",
  "issuer-not-delivered",
  "trust-removed",
  "protection-removed",
  "exception-added",
];

test("each has a row", () => expect(Object.keys(GENERATION_DANGERS)).toEqual(expect.arrayContaining(HERE)));
afterAll(() => expect([...seen]).toEqual(expect.arrayContaining(HERE)));

const G2 = "tls_self_signed_cert.pki__ca__kubernetes__g2";
const G2_KEY = "tls_private_key.pki__ca__kubernetes__g2";
const CREATE: Change = { actions: ["create"], before: null };
const GONE: Change = { actions: ["delete"], after: null };
const published = (ca: object, keys: object = {}, guards?: object): PublishedParts => ({
  files: { "cp-1": { "/ca.crt": file(CERTIFICATE(ADDRESS.ca)), "/ca.key": file(PRIVATE_KEY(ADDRESS.caKey)) } },
  ca,
  keys,
  guards,
});

describe("an authority that this plan makes", () => {
  const other = "tls_self_signed_cert.other";
  const links: Link[] = LINKS.map(([from, attribute, to]) =>
    attribute === "ca_cert_pem" ? [from, attribute, `${other}.cert_pem`] : [from, attribute, to],
  );

  test("and that signs what exists is a danger, whatever it is called", () => {
    const document = deployed({ leaf: SIGNED_AGAIN }, { configuration: configuration(links) });
    (document.resource_changes as object[]).push(resource(other, MADE.ca));
    expect(codes(document)).toEqual([["issuer-not-delivered", "other", "cp-1/apiserver"]]);
  });

  test("and that signs what is new, too, is none: a first deploy", () => {
    expect(codes(deployed(MADE, outputChanges({}, published({ kubernetes: { g1: "active" } }))))).toEqual([]);
  });

  const expected = [["issuer-not-delivered", "kubernetes g1", "cp-1/apiserver"]];
  const same = published({ kubernetes: { g1: "active" } });

  test("though what exists was signed by it has lost its state", () => {
    expect(codes(deployed({ ca: MADE.ca, caKey: MADE.caKey, leaf: SIGNED_AGAIN }, outputChanges(same, same)))).toEqual(
      expected,
    );
  });

  test("though its fingerprint was published has lost its state, too", () => {
    const before = { "kubernetes g1": "SHA256:…", "service-account g1": "SHA256:…" };
    const document = deployed(MADE, outputChanges(same, same));
    Object.assign(document.output_changes as object, { pki_fingerprints: { before, after_unknown: true } });
    const keyPair = "tls_private_key.pki__keys__service-account__g1";
    (document.resource_changes as object[]).push(resource(keyPair, { ...CREATE, after: { algorithm: "RSA" } }));
    expect(codes(document)).toEqual([...expected, ["issuer-not-delivered", "service-account g1"]]);
  });

  test("that an interrupted apply did not come to was never there, though its place was published", () => {
    expect(codes(deployed(MADE, outputChanges(same, same)))).toEqual([]);
  });

  test("though its fingerprint is in the code has lost all of the state", () => {
    const after = published({ kubernetes: { g1: "active" } }, {}, { pinned: ["kubernetes g1"] });
    expect(codes(deployed(MADE, outputChanges({}, after)))).toEqual(expected);
    const entry = { kind: "authority", name: "kubernetes", generation: "g1", state: "active", cluster: "pki" };
    const leaf = { kind: "certificate", name: "apiserver", holder: "cp-1", cluster: "pki", addresses: [ADDRESS.leaf] };
    const pinned = inventoryOf({ ...entry, addresses: [ADDRESS.ca], pinned: true }, leaf);
    expect(codes(deployed(MADE), pinned)).toEqual(expected);
  });

  test("though somebody deleted it outside is one", () => {
    const drift = [resource(ADDRESS.ca, { ...GONE, before: STATE.ca })];
    expect(codes(deployed({ ca: MADE.ca, leaf: SIGNED_AGAIN }, { resource_drift: drift }))[0]![0]).toBe(
      "issuer-not-delivered",
    );
  });
});

test("a retired generation that is made active at once is introduced and promoted in one step", () => {
  const document = deployed(
    { leaf: SIGNED_AGAIN },
    outputChanges(
      published({ kubernetes: { g1: "active", g2: "retired" } }),
      published({ kubernetes: { g1: "trusted", g2: "active" } }),
    ),
  );
  const g2 = { ...STATE.ca, cert_pem: "ca g2", private_key_pem: "g2" };
  (document.resource_changes as object[]).push(
    resource(G2, { before: g2, after: g2 }),
    resource(G2_KEY, { before: { private_key_pem: "g2" }, after: { private_key_pem: "g2" } }),
  );
  document.configuration = configuration([
    [G2, "private_key_pem", `${G2_KEY}.private_key_pem`],
    [ADDRESS.leaf, "ca_cert_pem", `${G2}.cert_pem`],
  ]);
  expect(codes(document)).toEqual([["introduced-and-promoted", "kubernetes g2", "cp-1/apiserver"]]);
});

describe("key pairs", () => {
  const [one, two] = ["g1", "g2"].map((id) => `tls_private_key.pki__keys__service-account__${id}`);
  const key = { algorithm: "RSA", rsa_bits: 2048 };
  const states = (before: object, after: object) =>
    codes(
      plan(
        [one!, two!].map((address) => resource(address, { before: key, after: key })),
        outputChanges(published({}, { "service-account": before }), published({}, { "service-account": after })),
      ),
    );

  test("of which one is promoted and another retired in one plan are a danger", () => {
    expect(states({ g1: "active", g2: "trusted" }, { g1: "retired", g2: "active" })).toEqual([
      ["trust-removed", "service-account g1"],
    ]);
  });

  test("that are rotated step by step are none", () => {
    expect(states({ g1: "active", g2: "trusted" }, { g1: "trusted", g2: "active" })).toEqual([]);
    expect(states({ g1: "trusted", g2: "active" }, { g1: "retired", g2: "active" })).toEqual([]);
  });
});

describe("guards", () => {
  const active = { kubernetes: { g1: "active" } };
  const guarded = (before: object | undefined, after: object | undefined, state: object = active) =>
    codes(deployed({}, outputChanges(published(active, {}, before), published(state, {}, after))));

  test("that are taken away are a danger", () => {
    const expected = [["protection-removed", "kubernetes g1"]];
    expect(guarded({}, { unprotected: ["kubernetes g1"] })).toEqual(expected);
    expect(guarded({ pinned: ["kubernetes g1"] }, {})).toEqual(expected);
  });

  test("that were never there, that come, or that a retired one needs no more are none", () => {
    expect(guarded(undefined, { unprotected: ["kubernetes g1"] })).toEqual([]);
    expect(guarded({ unprotected: ["kubernetes g1"] }, { pinned: ["kubernetes g1"] })).toEqual([]);
    expect(codes(deployed({}, outputChanges({}, published(active, {}, { unprotected: ["kubernetes g1"] }))))).toEqual(
      [],
    );
  });

  test("a row that may break a rule from now on is a danger, whether plan or inventory says so", () => {
    const masters = { exceptions: { admin: ["system-masters"] } };
    expect(guarded({}, masters)).toEqual([["exception-added", "admin"]]);
    expect(guarded({ exceptions: { admin: ["two-usages"] } }, { exceptions: { admin: ["two-usages", "x"] } })).toEqual([
      ["exception-added", "admin"],
    ]);
    expect(guarded(masters, masters)).toEqual([]);
    expect(guarded(masters, {})).toEqual([]);
    const exceptions = [{ code: "system-masters", reason: "because" }];
    const entry = { kind: "certificate", name: "apiserver", cluster: "pki", addresses: [ADDRESS.leaf], exceptions };
    const of = { cluster: "pki", name: "kubernetes", generation: "g1", state: "active" };
    const authority = { kind: "authority", addresses: [ADDRESS.ca, ADDRESS.caKey], ...of };
    const same = published(active, {}, {});
    expect(codes(deployed({}, outputChanges(same, same)), inventoryOf(authority, entry))).toEqual([
      ["exception-added", "apiserver"],
    ]);
  });
});
