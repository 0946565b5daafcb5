import { SIGNED_CA_CERTIFICATE, CA_CERTIFICATE, LEAF_CERTIFICATE } from "../../support/pem";
import { Change, configuration, plan, report, resource, SECRET, STATE } from "./plans";

// What a real plan looks like is shown by test/e2e/external-signing.test.ts.

const NAME = "pki__cp-1__apiserver";
const KEPT = `terraform_data.${NAME}`;
const AUTHORITY = "terraform_data.pki__ca__kubernetes__g1";

const request = `tls_cert_request.${NAME}`;
const links = configuration([[request, "private_key_pem", `tls_private_key.${NAME}.private_key_pem`]]);
const references = [`${request}.cert_request_pem`, request, `${AUTHORITY}.output.certificate_pem`, AUTHORITY];
links.root_module.resources.push({ address: KEPT, mode: "managed", expressions: { input: { references } } });

const ASKED = {
  cert_request_pem: "request",
  ca_cert_pem: CA_CERTIFICATE,
  allowed_uses: ["digital_signature", "server_auth"],
};
const back = (pem: string) => ({ ...ASKED, certificate_pem: pem, not_after: "2027-01-01T00:00:00.000Z" });
const both = (value: object) => ({ before: value, after: value });

const authority = resource(
  AUTHORITY,
  both({ input: { certificate_pem: CA_CERTIFICATE }, output: { certificate_pem: CA_CERTIFICATE } }),
);

/** The report of what happens to what keeps the certificate, where key and request stay. */
function changed(kept: Change, key: Change = both(STATE.key), request: Change = both(STATE.request)) {
  const changes = [
    authority,
    resource(`tls_private_key.${NAME}`, key),
    resource(`tls_cert_request.${NAME}`, request),
    resource(KEPT, kept),
  ];
  const { changes: found, dangers } = report(plan(changes, { configuration: links }));
  return { found: found.find(({ name }) => name === "cp-1/apiserver"), count: found.length, dangers };
}

const update = (before: object, after: object): Change => ({
  actions: ["update"],
  before: { input: before, output: before },
  after: { input: after },
  after_unknown: { output: true },
});

test("a key and a request for who signs elsewhere are one change: request", () => {
  const made = (value: object, ...unknown: string[]) => ({
    actions: ["create"],
    after: Object.fromEntries(Object.entries(value).filter(([name]) => !unknown.includes(name))),
    after_unknown: Object.fromEntries(unknown.map((name) => [name, true])),
  });
  const { ca_cert_pem, allowed_uses } = ASKED;
  const kept = {
    actions: ["create"],
    after: { input: { ca_cert_pem, allowed_uses } },
    after_unknown: { input: { cert_request_pem: true }, output: true },
  };
  const { found, count, dangers } = changed(
    kept,
    made(STATE.key, "private_key_pem"),
    made(STATE.request, "cert_request_pem", "private_key_pem"),
  );
  expect(count).toBe(1);
  expect(found).toMatchObject({
    kind: "certificate",
    verbs: ["request"],
    after: {
      subject: "CN=kube-apiserver",
      sans: ["10.0.0.11", "cp-1", "kubernetes"],
      usages: ["digital_signature", "server_auth"],
      issuer: "kubernetes g1",
      keyAlgorithm: "ECDSA-P256",
    },
  });
  expect(dangers).toEqual([]);
});

test.each([
  ["comes back", ASKED, back(LEAF_CERTIFICATE), ["issue"], "came-back"],
  ["comes back again", back(LEAF_CERTIFICATE), back(SIGNED_CA_CERTIFICATE), ["re-issue"], "came-back"],
  ["is taken out", back(LEAF_CERTIFICATE), ASKED, ["request"], "taken-out"],
])("what %s", (_, before, after, verbs, reason) => {
  const { found, count } = changed(update(before, after));
  expect(count).toBe(1);
  expect(found).toMatchObject({ verbs, reasons: [{ code: reason }] });
});

test("another key, with what was signed for it, is a re-key", () => {
  const request = {
    actions: ["delete", "create"],
    before: STATE.request,
    after: STATE.request,
    replace_paths: [["private_key_pem"]],
  };
  const { found } = changed(update(back(LEAF_CERTIFICATE), back(SIGNED_CA_CERTIFICATE)), both(STATE.key), request);
  expect(found).toMatchObject({ verbs: ["re-key"] });
});

test("how long it is valid is read in what came back: a long one is a danger", () => {
  const { found, dangers } = changed(update(ASKED, back(LEAF_CERTIFICATE)));
  // 36,500 days.
  expect(found!.after).toMatchObject({ notAfter: "2126-10-29T04:12:01Z", validityHours: 876_000 });
  expect(dangers).toMatchObject([{ code: "long-validity" }]);
});

test("nothing of a key is shown", () => {
  expect(JSON.stringify(changed(update(ASKED, back(LEAF_CERTIFICATE))))).not.toContain(SECRET);
});

test("what nothing happens to is no change", () => {
  const value = { input: back(LEAF_CERTIFICATE), output: back(LEAF_CERTIFICATE) };
  expect(changed(both(value))).toEqual({ found: undefined, count: 0, dangers: [] });
});
