import { CERTIFICATE_DANGERS } from "../../../../lib/plan/judge/dangers/certificates";
import { undecidedOf } from "../../../../lib/plan/model/undecided";
import { PlanModel } from "../../../../lib/plan/model/model";
import { readPlan } from "../../../../lib/terraform-json/plan";
import { P224_CERTIFICATE, RSA_1024_KEY, SHA1_CERTIFICATE, SHA256_CERTIFICATE } from "../../../support/pem";
import {
  ADDRESS,
  Change,
  configuration,
  deployed,
  Link,
  LINKS,
  plan,
  REPLACE,
  resource,
  STATE,
  MADE,
  SIGNED_AGAIN,
} from "../plans";
import { codes, inventoryOf, seen } from "./found";

// A certificate that is kept stands in dangers.test.ts.
afterAll(() =>
  expect([...seen, "stale-certificate"]).toEqual(expect.arrayContaining(Object.keys(CERTIFICATE_DANGERS))),
);

const CREATE: Change = { actions: ["create"], before: null };
const leaf = (path: string, after: object): Change => ({
  actions: REPLACE,
  replace_paths: [[path]],
  after: { ...MADE.leaf.after, ...after },
});
const request = (after: object): Change => ({
  actions: REPLACE,
  replace_paths: [["dns_names"]],
  after: { ...MADE.request.after, ...after },
});
const signedAgain: Change = { ...SIGNED_AGAIN, replace_paths: [["cert_request_pem"]] };

describe("usages", () => {
  test.each(["client_auth", "any_extended", "cert_signing", "code_signing"])("that gain %s are a danger", (usage) => {
    const document = deployed({ leaf: leaf("allowed_uses", { allowed_uses: ["server_auth", usage] }) });
    expect(codes(document)).toEqual([["usages-widened", "cp-1/apiserver"]]);
  });

  test.each([["digital_signature", "server_auth"], ["server_auth"], []])("that become %j are none", (...usages) => {
    expect(codes(deployed({ leaf: leaf("allowed_uses", { allowed_uses: usages }) }))).toEqual([]);
  });

  test("of what is new are none", () => {
    const after = { ...MADE.leaf.after, allowed_uses: ["server_auth", "client_auth"] };
    expect(codes(deployed({ leaf: { ...CREATE, after } }))).toEqual([]);
  });
});

describe("a signer", () => {
  const below = "tls_locally_signed_cert.below";
  const withNew = (own: object, ca: Change = {}) => {
    const links: Link[] = [...LINKS, [below, "ca_cert_pem", `${ADDRESS.ca}.cert_pem`]];
    const document = deployed({ ca }, { configuration: configuration(links) });
    const after = { ...MADE.leaf.after, is_ca_certificate: true, ...own };
    (document.resource_changes as object[]).push(resource(below, { ...CREATE, after }));
    return document;
  };

  test("that was a leaf is a danger", () => {
    const change = leaf("is_ca_certificate", { is_ca_certificate: true });
    const document = deployed({ leaf: { ...change, before: { ...STATE.leaf, is_ca_certificate: false } } });
    expect(codes(document)).toEqual([["new-signer", "pki__cp-1__apiserver"]]);
  });

  test("that is made below an authority that exists is one", () => {
    expect(codes(withNew({}))).toEqual([["new-signer", "below"]]);
  });

  test("that is made together with the authority above it is none: a first deploy", () => {
    expect(codes(withNew({}, MADE.ca))).not.toContainEqual(["new-signer", "below"]);
  });

  test("that a distribution's table has is none, and one that the inventory alone has is", () => {
    const entry = { kind: "authority", name: "below", cluster: "pki", generation: "g2", state: "trusted" };
    const said = { ...entry, addresses: [below] };
    expect(codes(withNew({}), inventoryOf({ ...said, purpose: "authority of servers" }))).toEqual([]);
    expect(codes(withNew({}), inventoryOf(said))).toEqual([["new-signer", "below g2"]]);
  });

  test("that is no authority is none", () => {
    expect(codes(withNew({ is_ca_certificate: false }))).toEqual([]);
  });
});

describe("names", () => {
  test.each([
    [{ dns_names: ["*"] }],
    [{ dns_names: ["*.com"] }],
    [{ dns_names: ["cp-1", "*.prod.example.com"] }],
    [{ ip_addresses: ["0.0.0.0"] }],
    [{ ip_addresses: ["::"] }],
    [{ ip_addresses: ["0:0:0:0:0:0:0:0"] }],
    [{ ip_addresses: ["::ffff:0.0.0.0"] }],
  ])("%j are a danger", (names) => {
    expect(codes(deployed({ request: request(names), leaf: signedAgain }))).toEqual([
      ["wildcard-name", "cp-1/apiserver"],
    ]);
  });

  test("of single hosts, and those that were there, are none", () => {
    const names = {
      dns_names: ["cp-1", "kubernetes", "new.example.com"],
      ip_addresses: ["10.0.0.11", "::1", "fe80::"],
    };
    expect(codes(deployed({ request: request(names), leaf: signedAgain }))).toEqual([]);
    const before = { ...STATE.request, dns_names: ["*.example.com"] };
    const renamed = { ...request({ dns_names: ["*.example.com", "x"] }), before };
    expect(codes(deployed({ request: renamed, leaf: signedAgain }))).toEqual([]);
  });
});

describe("validity", () => {
  const validFor = (before: number | undefined, after: number) => {
    const of = (state: object, hours: number) => ({ ...state, validity_period_hours: hours });
    const change = { actions: before ? REPLACE : ["create"], replace_paths: [["validity_period_hours"]] };
    return codes(
      deployed({
        leaf: { ...change, before: before ? of(STATE.leaf, before) : null, after: of(MADE.leaf.after!, after) },
      }),
    );
  };

  test.each([
    [24, 49],
    [8760, 17_545],
    [undefined, 17_545],
    [17_600, 17_700],
  ])("of %p hours that becomes %p is a danger", (before, after) => {
    expect(validFor(before, after)).toEqual([["long-validity", "cp-1/apiserver"]]);
  });

  test.each([
    [24, 48],
    [undefined, 17_544],
    [26_280, 26_280],
    [26_280, 20_000],
    [87_600, 8760],
  ])("of %p hours that becomes %p is none", (before, after) => {
    expect(validFor(before, after)).toEqual([]);
  });

  test("of an authority is none", () => {
    const after = { ...MADE.ca.after, validity_period_hours: 876_000 };
    const found = codes(deployed({ ca: { ...CREATE, after } })).map(([code]) => code);
    expect(found).not.toContain("long-validity");
  });
});

describe("a key", () => {
  const made = (key: object): Change => ({ ...CREATE, after: { ...key, private_key_pem: undefined } });

  test.each([
    { algorithm: "RSA", rsa_bits: 1024 },
    { algorithm: "ECDSA", ecdsa_curve: "P224" },
  ])("of %j is a danger", (key) => {
    const parts = { key: made(key), request: MADE.request, leaf: MADE.leaf };
    expect(codes(deployed(parts))).toEqual([["weak-key", "cp-1/apiserver"]]);
  });

  test.each([
    { algorithm: "RSA", rsa_bits: 2048 },
    { algorithm: "ECDSA", ecdsa_curve: "P256" },
    { algorithm: "ED25519" },
  ])("of %j is none", (key) => {
    expect(codes(deployed({ key: made(key), request: MADE.request, leaf: MADE.leaf }))).toEqual([]);
  });

  test("that is weak and stays is none: it is no worse than before", () => {
    const weak = { ...STATE.key, algorithm: "RSA", rsa_bits: 1024 };
    const renewed: Change = { actions: REPLACE, replace_paths: [["ready_for_renewal"]] };
    expect(codes(deployed({ key: { before: weak, after: weak }, leaf: renewed }))).toEqual([]);
  });

  test("that no resource makes is looked at where it is used", () => {
    const after = { ...MADE.request.after, private_key_pem: RSA_1024_KEY };
    const document = deployed(
      { key: null, request: { ...CREATE, after }, leaf: MADE.leaf },
      { configuration: configuration(LINKS) },
    );
    expect(codes(document).map(([code]) => code)).toContain("weak-key");
  });

  test("and a signature of an authority from outside are read from its certificate", () => {
    const adopted = (certificate_pem: string) =>
      codes(
        plan([
          resource("terraform_data.pki__ca__kubernetes__g1", { ...CREATE, after: { input: { certificate_pem } } }),
        ]),
      );
    expect(adopted(SHA1_CERTIFICATE)).toEqual([["weak-key", "kubernetes g1"]]);
    expect(adopted(P224_CERTIFICATE)).toEqual([["weak-key", "kubernetes g1"]]);
    expect(adopted(SHA256_CERTIFICATE)).toEqual([]);
  });
});

describe("what cannot be read", () => {
  const undecided = (document: object) =>
    new PlanModel(readPlan(document), []).identities.flatMap((identity) => undecidedOf(identity));

  test("is not taken for what is fine", () => {
    const later = { validity_period_hours: true, is_ca_certificate: true };
    expect(undecided(deployed({ leaf: { ...leaf("x", {}), after_unknown: later } }))).toEqual([
      "whether it is an authority",
      "validity",
    ]);
    const key: Change = { ...CREATE, after: { algorithm: "RSA" }, after_unknown: { rsa_bits: true } };
    expect(undecided(deployed({ key, request: MADE.request, leaf: MADE.leaf }))).toEqual(["key algorithm"]);
    const sensitive: Change = { ...CREATE, after: STATE.key, after_sensitive: { algorithm: true } };
    expect(undecided(deployed({ key: sensitive, request: MADE.request, leaf: MADE.leaf }))).toEqual(["key algorithm"]);
  });

  test("of what does not change is no matter", () => {
    expect(undecided(deployed())).toEqual([]);
    expect(undecided(deployed(MADE))).toEqual([]);
  });
});
