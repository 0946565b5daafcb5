import { TerraformOutput } from "cdktf";
import { CertificateAuthority, Generation, Subject } from "../../../lib";
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
