import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { namePartsIn, readCertificate } from "../../../lib/x509/certificate-fields";
import {
  CRITICAL_EXTENSION_CERTIFICATE,
  FULL_CERTIFICATE,
  NAME_CONSTRAINTS_CERTIFICATE,
  NAMELESS_CERTIFICATE,
  PATH_1_CERTIFICATE,
  POLICY_CONSTRAINTS_CERTIFICATE,
} from "../../support/authorities";
import { CA_CERTIFICATE, INTERMEDIATE_CERTIFICATE, LEAF_CERTIFICATE, NO_SIGNING_CERTIFICATE } from "../../support/pem";

const fieldsOf = (pem: string) => readCertificate(new X509Certificate(pem).raw)!;

test("every root that Node.js trusts is read, and says what OpenSSL says that it says", () => {
  for (const pem of [...rootCertificates, CA_CERTIFICATE, LEAF_CERTIFICATE, FULL_CERTIFICATE]) {
    const certificate = new X509Certificate(pem);
    const { notBefore, notAfter, publicKey, ...fields } = fieldsOf(pem);
    const usages = certificate.keyUsage as readonly string[] | undefined;
    expect({
      subject: certificate.subject,
      validity: [notBefore.getTime(), notAfter.getTime()],
      key: publicKey.toString("hex"),
      ca: fields.isAuthority && fields.signsCertificates,
      usages: fields.extendedKeyUsages,
      isSelfIssued: fields.issuer.equals(fields.subject),
    }).toEqual({
      subject: certificate.subject,
      validity: [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)],
      key: certificate.publicKey.export({ type: "spki", format: "der" }).toString("hex"),
      ca: certificate.ca,
      usages,
      isSelfIssued: certificate.issuer === certificate.subject,
    });
  }
});

test("what Node.js does not tell is what openssl was asked for", () => {
  expect(fieldsOf(FULL_CERTIFICATE)).toMatchObject({ pathLength: 3, constraints: [], unknownCritical: [] });
  expect(fieldsOf(PATH_1_CERTIFICATE).pathLength).toBe(1);
  expect(fieldsOf(CA_CERTIFICATE).pathLength).toBeUndefined();
  expect(fieldsOf(NO_SIGNING_CERTIFICATE)).toMatchObject({ isAuthority: true, signsCertificates: false });
  expect(fieldsOf(NAME_CONSTRAINTS_CERTIFICATE).constraints).toEqual(["2.5.29.30"]);
  expect(fieldsOf(POLICY_CONSTRAINTS_CERTIFICATE).constraints).toEqual(["2.5.29.36"]);
  expect(fieldsOf(CRITICAL_EXTENSION_CERTIFICATE).unknownCritical).toEqual(["1.2.3.4"]);
  expect([NAMELESS_CERTIFICATE, CA_CERTIFICATE].map((pem) => fieldsOf(pem).isNameless)).toEqual([true, false]);
  expect(fieldsOf(FULL_CERTIFICATE).authorityKeyIdentifier).toEqual(
    fieldsOf(INTERMEDIATE_CERTIFICATE).subjectKeyIdentifier,
  );
  expect(namePartsIn(fieldsOf(FULL_CERTIFICATE).subject)).toEqual([
    "2.5.4.10=Example Corp",
    "2.5.4.11=Clusters",
    "2.5.4.3=Kubernetes CA",
  ]);
});

test("what follows a certificate, or is missing at its end, is none", () => {
  const { raw } = new X509Certificate(CA_CERTIFICATE);
  expect(readCertificate(Buffer.concat([raw, Buffer.from([0])]))).toBeUndefined();
  expect(readCertificate(Buffer.concat([raw, raw]))).toBeUndefined();
  expect(readCertificate(raw.subarray(0, -1))).toBeUndefined();
  expect(readCertificate(Buffer.alloc(0))).toBeUndefined();
});
