import { execFileSync } from "node:child_process";
import { CA_CERTIFICATE } from "../../support/pem";
import { Change, plan, REPLACE, report, resource, SECRET, STATE } from "./plans";

// Certificates as people write them by hand: what a certificate is made of is found, or is said to be unreadable.

/** What the code names in an attribute. */
interface Code {
  readonly address: string;
  readonly expressions: object;
}

const names = (...references: string[]) => ({ references });
const code = (address: string, expressions: object): Code => ({ address, expressions });
const documentOf = (changes: readonly object[], ...resources: readonly Code[]) =>
  plan(changes, {
    configuration: { root_module: { resources: resources.map((one) => ({ mode: "managed", ...one })) } },
  });

const REQUEST = {
  private_key_pem: SECRET,
  subject: [{ common_name: "dev", organization: "team" }],
  dns_names: ["dev.example.com"],
};
const create = (after: object, unknown: object = {}): Change => ({
  actions: ["create"],
  after,
  after_unknown: unknown,
});
const newRequest = (after: object = REQUEST) => create(after, { cert_request_pem: true });
const newLeaf = create(
  { allowed_uses: ["client_auth"], validity_period_hours: 24 },
  { cert_request_pem: true, ca_cert_pem: true, cert_pem: true },
);
const authority = resource("tls_self_signed_cert.ca", { before: STATE.ca, after: STATE.ca });
const signedByCa = { ca_cert_pem: names("tls_self_signed_cert.ca.cert_pem", "tls_self_signed_cert.ca") };

function reported(document: object) {
  const { changes, dangers, otherChanges } = report(document);
  return {
    changes: changes.map(({ verbs, name, after }) => `${verbs.join()} ${name} ${after?.subject ?? ""}`.trim()),
    dangers: dangers.map(({ code, name = "", attributes = [] }) => [code, name, ...attributes].join(" ")),
    otherChanges,
  };
}

describe("a request is found", () => {
  test.each([
    ["by the key of an instance that is written", "tls_cert_request.r[1].cert_request_pem", "[1]", ""],
    ["by a written key of for_each", 'tls_cert_request.r["b"].cert_request_pem', '["b"]', ""],
    ["by the same key", "tls_cert_request.r", '["b"]', '["b"]'],
    ["by the same number, written as text", "tls_cert_request.r", "[1]", '["1"]'],
  ])("%s", (_, reference, key, own) => {
    const document = documentOf(
      [
        authority,
        resource(`tls_cert_request.r${key}`, newRequest()),
        resource('tls_cert_request.r["c"]', newRequest({ ...REQUEST, subject: [{ common_name: "another" }] })),
        resource(`tls_locally_signed_cert.c${own}`, newLeaf),
      ],
      code("tls_cert_request.r", {}),
      code("tls_locally_signed_cert.c", {
        cert_request_pem: names(reference, ...(own ? ["each.key"] : []), "tls_cert_request.r"),
        ...signedByCa,
      }),
    );
    const { changes, dangers } = reported(document);
    expect(changes).toEqual([`issue c${own} CN=dev, O=team`]);
    expect(dangers).toEqual([]);
  });

  test("through what Terraform keeps as data", () => {
    const document = documentOf(
      [
        authority,
        resource("tls_cert_request.r", newRequest()),
        resource("terraform_data.kept", create({}, { input: true, output: true })),
        resource("tls_locally_signed_cert.c", newLeaf),
      ],
      code("tls_cert_request.r", {}),
      code("terraform_data.kept", { input: names("tls_cert_request.r.cert_request_pem", "tls_cert_request.r") }),
      code("tls_locally_signed_cert.c", {
        cert_request_pem: names("terraform_data.kept.output", "terraform_data.kept"),
        ...signedByCa,
      }),
    );
    expect(reported(document)).toMatchObject({ changes: ["issue c CN=dev, O=team"], dangers: [] });
  });

  test("by its value, where the code goes through a local value", () => {
    const request = { ...REQUEST, cert_request_pem: "r", private_key_pem: SECRET };
    const leaf = { ...STATE.leaf, cert_request_pem: "r", allowed_uses: ["client_auth"] };
    const document = documentOf(
      [
        authority,
        resource("tls_cert_request.r", {
          actions: REPLACE,
          before: request,
          after: { ...REQUEST, dns_names: ["other.example.com"] },
          after_unknown: { cert_request_pem: true },
        }),
        resource("tls_locally_signed_cert.c", {
          actions: REPLACE,
          before: leaf,
          after: { allowed_uses: ["client_auth"], ca_cert_pem: "ca g1" },
          after_unknown: { cert_request_pem: true, cert_pem: true },
        }),
      ],
      code("tls_cert_request.r", {}),
      code("tls_locally_signed_cert.c", { cert_request_pem: names("local.requests"), ...signedByCa }),
    );
    const { changes } = report(document);
    expect(changes).toMatchObject([
      {
        name: "c",
        verbs: ["re-issue"],
        after: { sans: ["other.example.com"] },
      },
    ]);
  });
});

describe("unreadable is", () => {
  const leafOf = (cert_request_pem: object, ca: object = signedByCa) =>
    documentOf(
      [
        authority,
        resource("tls_cert_request.a", newRequest()),
        resource("tls_cert_request.b", newRequest({ ...REQUEST, subject: [{ common_name: "admin" }] })),
        resource("tls_locally_signed_cert.c", newLeaf),
      ],
      code("tls_cert_request.a", {}),
      code("tls_cert_request.b", {}),
      code("tls_locally_signed_cert.c", { cert_request_pem, ...ca }),
    );

  test("a new certificate whose request goes through a local value", () => {
    expect(reported(leafOf(names("local.request"))).dangers).toEqual(["unreadable c subject"]);
  });

  test("one whose request is chosen by a condition", () => {
    const either = names("var.x", "tls_cert_request.a.cert_request_pem", "tls_cert_request.b.cert_request_pem");
    expect(reported(leafOf(either)).dangers).toEqual(["unreadable c subject"]);
  });

  test("one whose request is one of several, by a key that is worked out", () => {
    const document = documentOf(
      [
        authority,
        resource('tls_cert_request.r["a"]', newRequest()),
        resource('tls_cert_request.r["b"]', newRequest({ ...REQUEST, subject: [{ common_name: "admin" }] })),
        resource('tls_locally_signed_cert.c["a"]', newLeaf),
      ],
      code("tls_cert_request.r", {}),
      code("tls_locally_signed_cert.c", {
        cert_request_pem: names("tls_cert_request.r", "each.value.request", "each.value"),
        ...signedByCa,
      }),
    );
    expect(reported(document).dangers).toEqual(['unreadable c["a"] subject']);
  });

  test("one whose request may also be a local value", () => {
    const either = names("local.override", "tls_cert_request.a.cert_request_pem");
    expect(reported(leafOf(either)).dangers).toEqual(["unreadable c subject"]);
  });

  test("one whose authority nobody can tell", () => {
    const document = leafOf(names("tls_cert_request.a.cert_request_pem"), { ca_cert_pem: names("local.ca") });
    expect(reported(document).dangers).toEqual(["unreadable c issuer"]);
  });

  test.each([
    ["a name that is known after the apply", { dns_names: [null] }, { dns_names: [true] }, {}, "alternative names"],
    ["a group that is known after the apply", { subject: [{}] }, { subject: [{ organization: true }] }, {}, "subject"],
    ["a group that is hidden", {}, {}, { subject: [{ organization: true }] }, "subject"],
  ])("%s", (_, after, unknown, sensitive, attribute) => {
    const document = documentOf(
      [
        authority,
        resource("tls_cert_request.a", {
          actions: ["create"],
          after: { ...REQUEST, ...after },
          after_unknown: { cert_request_pem: true, ...unknown },
          after_sensitive: sensitive,
        }),
        resource("tls_locally_signed_cert.c", newLeaf),
      ],
      code("tls_cert_request.a", {}),
      code("tls_locally_signed_cert.c", {
        cert_request_pem: names("tls_cert_request.a.cert_request_pem"),
        ...signedByCa,
      }),
    );
    expect(reported(document).dangers).toEqual([`unreadable c ${attribute}`]);
  });

  test.each([
    ["subjects that are all known after the apply", { subject: true }, "subjects"],
    ["a role that is known after the apply", { role_ref: [{ name: true }] }, "role"],
  ])("a binding with %s", (_, unknown, attribute) => {
    const after = {
      metadata: [{ name: "b" }],
      role_ref: [{ kind: "ClusterRole", name: "role_ref" in unknown ? undefined : "view" }],
      ...("subject" in unknown ? {} : { subject: [{ kind: "User", name: "jane" }] }),
    };
    const document = plan([resource("kubernetes_cluster_role_binding_v1.b", create(after, unknown))]);
    expect(reported(document).dangers).toEqual([`unreadable b ${attribute}`]);
  });

  test("no certificate that an authority outside of the plan signs", () => {
    const leaf = create(
      { allowed_uses: ["client_auth"], ca_cert_pem: CA_CERTIFICATE },
      { cert_request_pem: true, cert_pem: true },
    );
    const document = documentOf(
      [resource("tls_cert_request.a", newRequest()), resource("tls_locally_signed_cert.c", leaf)],
      code("tls_cert_request.a", {}),
      code("tls_locally_signed_cert.c", { cert_request_pem: names("tls_cert_request.a.cert_request_pem") }),
    );
    const subject = execFileSync("openssl", ["x509", "-noout", "-subject", "-nameopt", "RFC2253"], {
      input: CA_CERTIFICATE,
    });
    const [change] = report(document).changes;
    expect(change!.after!.issuer).toBe(
      subject.toString().trim().replace("subject=", "").split(",").reverse().join(", "),
    );
    expect(reported(document).dangers).toEqual([]);
  });
});

describe("a key", () => {
  const gone: Change = { actions: ["delete"], before: { algorithm: "ED25519", private_key_pem: SECRET }, after: null };

  test("that signs nothing in the plan is none of a PKI", () => {
    expect(reported(plan([resource("tls_private_key.ssh", gone)]))).toEqual({
      changes: [],
      dangers: [],
      otherChanges: { tls_private_key: 1 },
    });
  });

  test("of service accounts stays one, though a certificate is made with it", () => {
    const pair = { algorithm: "RSA", rsa_bits: 2048, private_key_pem: SECRET };
    const request = { ...REQUEST, private_key_pem: SECRET, cert_request_pem: "r" };
    const leaf = { ...STATE.leaf, cert_request_pem: "r" };
    const address = "tls_private_key.pki__keys__service-account__g1";
    const document = documentOf(
      [
        authority,
        resource(address, { actions: REPLACE, before: pair, after: { algorithm: "RSA", rsa_bits: 2048 } }),
        resource("tls_cert_request.r", { before: request, after: request }),
        resource("tls_locally_signed_cert.c", { before: leaf, after: leaf }),
      ],
      code(address, {}),
      code("tls_cert_request.r", { private_key_pem: names(`${address}.private_key_pem`) }),
    );
    expect(reported(document)).toMatchObject({
      changes: ["re-key service-account g1"],
      dangers: ["key-destroyed service-account g1"],
    });
  });
});
