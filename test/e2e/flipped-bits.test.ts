import { DataTlsCertificate } from "@cdktf/provider-tls/lib/data-tls-certificate";
import { Generation } from "../../lib";
import { Problems } from "../../lib/errors";
import { checkGenerations } from "../../lib/x509/generation";
import { FULL_CERTIFICATE, P384_CERTIFICATE, RSA_CERTIFICATE } from "../support/authorities";
import { flipped } from "../support/bits";
import { CA_CERTIFICATE } from "../support/pem";
import { Workspace } from "./workspace";

jest.setTimeout(600_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace.remove());

function isTaken(certificatePem: string): boolean {
  const problems = new Problems();
  const g1 = Generation.fromPem("trusted", { certificatePem });
  checkGenerations({ g1, g2: Generation.active() }, "authority", "generations", problems);
  return problems.none;
}

test("what synth takes of damaged certificates, Terraform's provider reads", async () => {
  const given = [
    ...[CA_CERTIFICATE, RSA_CERTIFICATE, P384_CERTIFICATE].flatMap((pem) => flipped(pem, 499)),
    ...flipped(FULL_CERTIFICATE, 1499),
  ];
  const taken = given.filter(isTaken);
  expect(taken.length).toBeGreaterThan(300);
  workspace.synth("flipped", (stack) => {
    taken.forEach((content, index) => new DataTlsCertificate(stack, `c${index}`, { content }));
  });
  await workspace.must("flipped", "init", "-no-color");
  await workspace.must("flipped", "plan", "-no-color");
});
