import { pemAt, RESOURCE_TYPES, resourceType } from "../../../lib/terraform-json/resource-types";

const PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n";
const rows = Object.entries(RESOURCE_TYPES);

test.each(rows)("nothing of %s that holds a secret is shown, and no PEM has the form of what is", (_, row) => {
  const shown = Object.entries(row.shown ?? {});
  // What a certificate that is signed elsewhere may be used for: words of the provider's.
  const allowed = shown.filter(([path, form]) => path !== "input.allowed_uses" || form.test("a secret"));
  expect(
    allowed.map(([path]) => path).filter((path) => /pem|^(result|data|input|output)|hash|token/.test(path)),
  ).toEqual([]);
  expect(shown.filter(([, form]) => form.test(PEM))).toEqual([]);
});

test("a certificate, a key is found where its type has it, the first that has text", () => {
  const adopted = resourceType("terraform_data");
  const values = { input: { certificate_pem: "new", private_key_pem: "" }, output: { certificate_pem: "old" } };
  expect(pemAt(adopted, values, "certificate")).toBe("old");
  expect(pemAt(adopted, { input: values.input }, "certificate")).toBe("new");
  expect(pemAt(adopted, values, "privateKey")).toBeUndefined();
  expect(pemAt(resourceType("tls_private_key"), { private_key_pem: PEM }, "privateKey")).toBe(PEM);
  expect(pemAt(resourceType("tls_private_key"), { cert_pem: PEM }, "certificate")).toBeUndefined();
});

test.each([undefined, "aws_instance", "toString", "__proto__"])("%p is no part of a PKI", (type) => {
  expect(resourceType(type)).toBeUndefined();
});
