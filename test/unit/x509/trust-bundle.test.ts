import { TerraformOutput, TerraformVariable } from "cdktf";
import { CertificateAuthority, Generation, Subject } from "../../../lib";
import {
  CA_CERTIFICATE,
  CA_KEY,
  INTERMEDIATE_CERTIFICATE,
  ROOT_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../../support/pem";
import { newApp, newStack, synthApp, terraformOf } from "../../support/synth";

const subject = new Subject({ commonName: "ca" });
const generations = { g1: Generation.trusted(), g2: Generation.active() };

test("is its certificates in bundle order, with nothing between them", () => {
  const stack = newStack();
  const { bundle } = new CertificateAuthority(stack, "ca", { subject, generations });
  new TerraformOutput(stack, "bundle", { value: bundle.pem });
  expect(terraformOf(stack).output.bundle.value).toBe(
    "${tls_self_signed_cert.ca__g2.cert_pem}${tls_self_signed_cert.ca__g1.cert_pem}",
  );
});

describe("knows of the active authority", () => {
  const outside = (certificatePem: string, stack = newStack()) => {
    const pem = Generation.fromPem("active", { certificatePem, privateKeyPem: CA_KEY });
    return new CertificateAuthority(stack, "outside", { subject, generations: { g1: pem } });
  };

  test("that it signed itself: generated, or one literal certificate", () => {
    const { bundle } = new CertificateAuthority(newStack(), "ca", { subject, generations });
    expect(bundle).toMatchObject({ belowRoot: false, literalRoot: undefined });
    expect(outside(CA_CERTIFICATE).bundle).toMatchObject({ belowRoot: false, literalRoot: undefined });
  });

  test("the literal root above it", () => {
    const chain = SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE;
    expect(outside(chain).bundle).toMatchObject({ belowRoot: true, literalRoot: ROOT_CERTIFICATE });
    const stack = newStack();
    const issuer = outside(CA_CERTIFICATE, stack);
    const { bundle } = new CertificateAuthority(stack, "below", { subject, issuer });
    expect(bundle).toMatchObject({ belowRoot: true, literalRoot: CA_CERTIFICATE });
  });

  test("that nobody knows its root at synth: Terraform makes it, or learns it later", () => {
    const stack = newStack();
    const issuer = new CertificateAuthority(stack, "root", { subject });
    const { bundle } = new CertificateAuthority(stack, "below", { subject, issuer });
    expect(bundle).toMatchObject({ belowRoot: true, literalRoot: undefined });
    const variable = new TerraformVariable(stack, "pem", { type: "string" }).stringValue;
    expect(outside(variable, stack).bundle).toMatchObject({ belowRoot: true, literalRoot: undefined });
  });
});

describe("read from another stack", () => {
  const app = newApp();
  const { bundle } = new CertificateAuthority(newStack("producer", app), "ca", { subject, generations });
  const consumer = newStack("consumer", app);
  new TerraformOutput(consumer, "bundle", { value: bundle.pem });
  const { producer, consumer: read } = synthApp(app);

  test("comes from the producer's state", () => {
    expect(Object.values(read.data.terraform_remote_state)).toEqual([
      expect.objectContaining({ backend: "local", config: { path: "../../../producer.tfstate" } }),
    ]);
    expect(read.output.bundle.value).toMatch(
      /^\$\{data\.terraform_remote_state\.[\w-]+\.outputs\.[\w-]+\}\$\{data\.terraform_remote_state\.[\w-]+\.outputs\.[\w-]+\}$/,
    );
  });

  test("crosses in outputs of certificates alone", () => {
    const values = Object.values<{ value: string }>(producer.output).map(({ value }) => value);
    expect(values.sort()).toEqual([
      "${tls_self_signed_cert.ca__g1.cert_pem}",
      "${tls_self_signed_cert.ca__g2.cert_pem}",
    ]);
  });
});
