import { App, TerraformStack } from "cdktf";
import { ClusterAccess, ClusterPki, Distribution } from "../../../lib";
import { ONE } from "../../support/cluster";
import { errorOf, newApp } from "../../support/synth";

/** CDK Terrain by its own name, as a program has it that does not alias it. */
const terrain = jest.requireActual<{ App: typeof App; TerraformStack: typeof TerraformStack }>("cdktn");
const isAliased = terrain.TerraformStack === TerraformStack;

const props = { distribution: Distribution.KUBEADM, cluster: ONE };
const stackOfTerrain = () => {
  const { outdir } = newApp();
  return new terrain.TerraformStack(new terrain.App({ outdir }), "prod-pki");
};

(isAliased ? test.skip : test)("a stack of CDK Terrain beside cdktf is told in one sentence", () => {
  expect(errorOf(() => new ClusterPki(stackOfTerrain(), "pki", props)).message).toBe(
    "1 problem at prod-pki/pki\n" +
      "  [two-cores] scope: given a stack of CDK Terrain, where cdktf is another package; " +
      "allowed: a stack of the package that is installed as cdktf; " +
      'fix: write "cdktf": "npm:cdktn@…" into both the dependencies and the overrides of package.json, and import from "cdktf" alone',
  );
  const access = () => new ClusterAccess(stackOfTerrain(), "access", { ...props, certificateAuthority: "${var.ca}" });
  expect(errorOf(access).problems).toMatchObject([{ code: "two-cores" }]);
});

test("a stack of the core that is loaded is none of another", () => {
  const stack = new TerraformStack(newApp(), "prod-pki");
  expect(() => new ClusterPki(stack, "pki", props)).not.toThrow();
});
