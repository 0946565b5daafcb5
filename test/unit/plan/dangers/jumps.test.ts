import { dangersOf, EVERY_JUMP, type Standing, statesOf } from "../../../support/jumps";
import { ADDRESS, configuration, outputChanges, plan, resource, STATE } from "../plans";
import { found } from "./found";

// The report is one pure function of a plan's JSON: each change of two generations, written by hand here. Real plans of all of them, of every
// distribution, are in test/e2e/rotation-plans.test.ts.

/** Codes and titles, sorted; the one that goes by the day has a test of its own. */
function judged(document: object): string[] {
  const dangers = found(document).filter(({ code }) => code !== "retired-too-soon");
  return dangers.map(({ code, name = "" }) => `${code} ${name.replace(/^(\S+) /, "")}`).sort();
}

const IDS = ["g1", "g2"] as const;

/** A resource of each generation that is on one side or the other, with the change that this is. */
function generations(from: Standing, to: Standing, name: string, values: (id: string) => object): object[] {
  const [before, after] = [statesOf(from), statesOf(to)];
  return IDS.filter((id) => before[id] ?? after[id]).map((id) => {
    const [was, is] = [before, after].map((states) => (states[id] === undefined ? undefined : values(id)));
    const actions = was ? (is ? ["no-op"] : ["delete"]) : ["create"];
    return resource(`${name}__${id}`, { actions, before: was ?? null, after: is ?? null });
  });
}

const active = (standing: Standing) => IDS.find((id) => statesOf(standing)[id] === "active")!;

/** An authority with one leaf, which the active generation signs on both sides. */
function ofAuthority(from: Standing, to: Standing): object {
  const certificate = (id: string) => ({ ...STATE.ca, cert_pem: `ca ${id}`, private_key_pem: id });
  const leaf = (id: string) => ({ ...STATE.leaf, ca_cert_pem: `ca ${id}`, ca_private_key_pem: id });
  const signs = active(to);
  const isSignedAgain = active(from) !== signs;
  const name = "pki__ca__kubernetes";
  return plan(
    [
      ...generations(from, to, `tls_private_key.${name}`, (id) => ({ ...STATE.caKey, private_key_pem: id })),
      ...generations(from, to, `tls_self_signed_cert.${name}`, certificate),
      resource(ADDRESS.leaf, {
        actions: isSignedAgain ? ["create", "delete"] : ["no-op"],
        before: leaf(active(from)),
        after: leaf(signs),
      }),
    ],
    {
      ...outputChanges({ ca: { kubernetes: statesOf(from) } }, { ca: { kubernetes: statesOf(to) } }),
      configuration: configuration([
        ...IDS.map(
          (id) =>
            [
              `tls_self_signed_cert.${name}__${id}`,
              "private_key_pem",
              `tls_private_key.${name}__${id}.private_key_pem`,
            ] as const,
        ),
        [ADDRESS.leaf, "ca_cert_pem", `tls_self_signed_cert.${name}__${signs}.cert_pem`],
        [ADDRESS.leaf, "ca_private_key_pem", `tls_private_key.${name}__${signs}.private_key_pem`],
      ]),
    },
  );
}

function ofKeyPair(from: Standing, to: Standing): object {
  const key = (id: string) => ({ algorithm: "RSA", rsa_bits: 2048, private_key_pem: id, public_key_pem: id });
  return plan(
    generations(from, to, "tls_private_key.pki__keys__service-account", key),
    outputChanges({ keys: { "service-account": statesOf(from) } }, { keys: { "service-account": statesOf(to) } }),
  );
}

describe.each([
  ["an authority", ofAuthority],
  ["a key pair", ofKeyPair],
])("two generations of %s", (_, documentOf) => {
  test.each(EVERY_JUMP)("from %s to %s", (from, to) => {
    expect(judged(documentOf(from, to))).toEqual(dangersOf(from, to));
  });

  test("the same plan gives the same report, and is as it was", () => {
    const document = documentOf("AT", "-A");
    const text = JSON.stringify(document);
    expect(found(document)).toEqual(found(document));
    expect(JSON.stringify(document)).toBe(text);
  });
});
