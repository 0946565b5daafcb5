import { Aspects, TerraformVariable } from "cdktf";
import { LocallySignedCert } from "@cdktf/provider-tls/lib/locally-signed-cert";
import type { IConstruct } from "constructs";
import { CertificateEntry, ClusterPki, inventoryOf } from "../../../lib";
import { pkiOf } from "../../support/cluster";
import { parsedOutput } from "../../support/graph";
import { newApp, newStack, terraformOf, validationsOf } from "../../support/synth";

// What Terraform will act on counts, wherever it was said: not what was asked for.

/** What an Aspect does, as `app.synth()` lets it. */
function visitAll(root: IConstruct, visit: (node: IConstruct) => void): void {
  Aspects.of(root).add({ visit });
  root.node.findAll().forEach((node) => Aspects.of(root).all.forEach((aspect) => aspect.visit(node)));
}

function entryOf({ stack }: ReturnType<typeof pkiOf>, name = "apiserver"): CertificateEntry {
  const { entries } = inventoryOf(stack);
  return entries.find((entry): entry is CertificateEntry => entry.kind === "certificate" && entry.name === name)!;
}

test("an Aspect's validity is in the inventory and in the warning of the authority", () => {
  const made = pkiOf();
  visitAll(made.stack, (node) => {
    if (node instanceof LocallySignedCert) {
      node.validityPeriodHours = 720;
      node.earlyRenewalHours = 240;
    }
  });
  expect(entryOf(made)).toMatchObject({ validityHours: 720, earlyRenewalHours: 240 });
  const { check } = terraformOf(made.stack);
  expect(check["pki__ca__kubernetes"].assert[0]).toEqual({
    condition:
      '${timecmp(timeadd(plantimestamp(), "720h"), tls_self_signed_cert.pki__ca__kubernetes__g1.validity_end_time) <= 0}',
    error_message: expect.stringContaining("a certificate of 720 hours that is issued now"),
  });
});

test("an escape hatch's validity, names, uses and subject are in the inventory, and its names in the plan", () => {
  const made = pkiOf();
  const { request, resource } = made.pki.certificate("apiserver", "cp-1");
  resource.addOverride("validity_period_hours", 48);
  resource.allowedUses = ["digital_signature", "server_auth", "client_auth", "code_signing"];
  request.dnsNames = ["api.example.org"];
  request.addOverride("ip_addresses", ["10.9.9.9"]); // which cdktf adds to those that are there
  request.putSubject([{ commonName: "somebody", organization: "else" }]);
  expect(entryOf(made)).toMatchObject({
    subject: "CN=somebody, O=else",
    usage: "server, client, code_signing",
    sans: ["api.example.org", "10.0.0.11", "10.96.0.1", "10.9.9.9"],
    validityHours: 48,
  });
  const terraform = terraformOf(made.stack);
  const { dns_names, ip_addresses } = terraform.resource.tls_cert_request["pki__cp-1__apiserver"];
  expect(parsedOutput(terraform, "pki_certificates")["cp-1"]!["apiserver"]).toEqual([...dns_names, ...ip_addresses]);
});

test("another algorithm is in the inventory", () => {
  const made = pkiOf();
  made.pki.certificate("apiserver", "cp-1").key.resource.ecdsaCurve = "P384";
  expect(entryOf(made).keyAlgorithm).toBe("ECDSA-P384");
});

test("a leaf that an Aspect lets outlive its authority is refused", () => {
  const { stack, pki } = pkiOf();
  pki.certificate("apiserver", "cp-1").resource.validityPeriodHours = 90_000;
  expect(validationsOf(stack)).toEqual([
    '[leaf-outlives-authority] prod-pki/pki/cp-1/apiserver/Resource: given "90000 hours"; ' +
      "allowed: less than the authority's 87600 hours; fix: shorten it, or give the next generation of the authority a longer validity",
  ]);
});

test("a leaf that an Aspect puts into system:masters is refused", () => {
  const { stack, pki } = pkiOf();
  pki
    .certificate("kubelet", "cp-1")
    .request.addOverride("subject", [{ common_name: "x", organization: "system:masters" }]);
  expect(validationsOf(stack)).toEqual([expect.stringContaining("[system-masters] prod-pki/pki/cp-1/kubelet: given")]);
});

test("a validity that only Terraform knows is asked of Terraform, and told as such", () => {
  const stack = newStack();
  const hours = new TerraformVariable(stack, "hours", { type: "number" });
  const made = pkiOf({}, {}, stack);
  made.pki.certificate("apiserver", "cp-1").resource.addOverride("validity_period_hours", hours.value);
  const { check } = terraformOf(stack);
  expect(check["pki__ca__kubernetes"].assert[0].condition).toContain('timeadd(plantimestamp(), "${var.hours}h")');
  expect(entryOf(made)).not.toHaveProperty("validityHours");
});

test("an Aspect of the stack is seen, as cdktf runs it", () => {
  const app = newApp();
  const made = pkiOf({}, {}, newStack("prod-pki", app));
  Aspects.of(made.stack).add({
    visit: (node) => {
      if (node instanceof LocallySignedCert) {
        node.validityPeriodHours = 96;
      }
    },
  });
  app.synth();
  expect(entryOf(made).validityHours).toBe(96);
  expect(made.pki).toBeInstanceOf(ClusterPki);
});
