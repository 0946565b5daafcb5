import { X509Certificate } from "node:crypto";
import { CA_CERTIFICATE, FUTURE_CERTIFICATE, LEAF_CERTIFICATE, ROOT_CERTIFICATE } from "../../support/pem";
import { ADDRESS, outputChanges, plan, report, resource, STATE } from "./plans";

// g2 signs, g1 is trusted, and a leaf that is in use was signed by g2 when it was promoted.

const PROMOTED = Date.parse(new X509Certificate(LEAF_CERTIFICATE).validFrom);
const HOURS = 720;
const G2 = "tls_self_signed_cert.pki__ca__kubernetes__g2";

interface Retired {
  /** Since the promotion. */
  readonly hours?: number;
  readonly g1?: string;
  readonly leaf?: string;
  readonly guards?: object;
  readonly to?: object;
}

function retired({ hours, g1 = ROOT_CERTIFICATE, leaf = LEAF_CERTIFICATE, to, ...said }: Retired) {
  const { guards = { signsNodesFor: { kubernetes: HOURS } } } = said;
  const states = {
    before: { kubernetes: { g1: "trusted", g2: "active" } },
    after: to ?? { kubernetes: { g1: "retired", g2: "active" } },
  };
  const same = (state: object) => ({ before: state, after: state });
  const document = plan(
    [
      resource(ADDRESS.ca, same({ ...STATE.ca, cert_pem: g1 })),
      resource(G2, same({ ...STATE.ca, cert_pem: CA_CERTIFICATE })),
      resource(ADDRESS.leaf, same({ ...STATE.leaf, cert_pem: leaf, ca_cert_pem: CA_CERTIFICATE })),
    ],
    {
      ...outputChanges({ ca: states.before, guards }, { ca: states.after, guards }),
      ...(hours === undefined ? {} : { timestamp: new Date(PROMOTED + hours * 3_600_000).toISOString() }),
    },
  );
  return report(document).dangers.filter(({ code }) => code === "retired-too-soon");
}

test("a generation is retired too soon while a node may have a certificate that it signed", () => {
  const [danger, ...more] = retired({ hours: HOURS - 1 });
  expect(more).toEqual([]);
  expect(danger).toMatchObject({ name: "kubernetes g1" });
  expect(danger!.message).toContain(
    `may be valid until ${new Date(PROMOTED + HOURS * 3_600_000).toISOString().replace(".000", "")}`,
  );
});

test("and not when all of them have ended", () => {
  expect(retired({ hours: HOURS })).toEqual([]);
});

test("and not while it stays, or is promoted again", () => {
  expect(retired({ hours: 1, to: { kubernetes: { g1: "trusted", g2: "active" } } })).toEqual([]);
  expect(retired({ hours: 1, to: { kubernetes: { g1: "active", g2: "trusted" } } })).toEqual([]);
});

test("one that was introduced after all was signed that is in use has never signed", () => {
  expect(retired({ hours: 1, g1: FUTURE_CERTIFICATE })).toEqual([]);
});

test.each<[string, Retired]>([
  ["when the plan was made", {}],
  ["when the certificate in use was issued", { hours: 10_000, leaf: "known to nobody" }],
])("nobody knows that it is over where nothing tells %s", (_, said) => {
  expect(retired(said)[0]!.message).toContain(`since when another one signs: it has to be ${HOURS} hours`);
});

test("the longest duration counts that the state or the code says", () => {
  expect(retired({ hours: HOURS, guards: { signsNodesFor: { kubernetes: 8760 } } })).toHaveLength(1);
});

test("an authority with which the cluster signs nothing may be retired", () => {
  expect(retired({ hours: 1, guards: { signsNodesFor: { other: HOURS } } })).toEqual([]);
  expect(retired({ hours: 1, guards: {} })).toEqual([]);
});
