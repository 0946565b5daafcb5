import { App, TerraformStack } from "cdktf";
import { ClusterAccessStack } from "../../../stacks/cluster-access-stack";
import { ClusterPkiStack } from "../../../stacks/cluster-pki-stack";
import { clusters } from "../../../stacks/clusters";
import { printWarnings } from "../../../stacks/warnings";
import { expressionsIn, resourcesOf } from "../../support/graph";
import { newApp, synthApp, validationsOf } from "../../support/synth";

/* eslint-disable @typescript-eslint/no-explicit-any -- looks anywhere into the JSON */

/** The app of `stacks/main.ts`. */
function sampleApp(): App {
  const app = newApp();
  for (const { access, ...config } of clusters) {
    const { pki } = new ClusterPkiStack(app, `${config.cluster.name}-pki`, config);
    new ClusterAccessStack(app, `${config.cluster.name}-access`, { ...config, ...access, pki });
  }
  return app;
}

const app = sampleApp();
const stacks = synthApp(app);
const { "sample-pki": pki, "sample-access": access } = stacks;

test("every cluster has a stack for its PKI and one for access", () => {
  expect(Object.keys(stacks)).toEqual(
    clusters.flatMap(({ cluster }) => [`${cluster.name}-pki`, `${cluster.name}-access`]),
  );
});

test("every stack is valid", () => {
  const found = app.node.children.flatMap((stack) => validationsOf(stack as TerraformStack));
  expect(found).toEqual([]);
});

test("the same app gives the same bytes", () => {
  const withMetadata = (one: App) =>
    one.node.children.map((stack) => JSON.stringify((stack as TerraformStack).toTerraform())).join("\n");
  const other = sampleApp();
  synthApp(other);
  expect(withMetadata(other)).toBe(withMetadata(app));
});

test.each(["/work", "/home", "/root", "/tmp", "/Users", process.cwd()])("nothing names %s", (path) => {
  const text = app.node.children.map((stack) => JSON.stringify((stack as TerraformStack).toTerraform())).join("\n");
  expect(text.includes(`"${path}`) || text.includes(`${path}/`)).toBe(false);
});

test("every stack names its backend: cdktf's own default is an absolute path", () => {
  const backends = Object.values<any>(stacks).map(({ terraform }) => terraform.backend);
  expect(backends).toEqual([
    { local: { path: "../../../state/sample-pki.tfstate" } },
    { local: { path: "../../../state/sample-access.tfstate" } },
  ]);
});

test("the PKI's stack knows of no cluster that runs, the other of no key", () => {
  expect(Object.keys(pki.provider)).toEqual(["tls"]);
  expect(Object.keys(access.provider).sort()).toEqual(["kubernetes", "random", "time"]);
  expect([...resourcesOf(access).keys()].filter((address) => address.startsWith("tls_"))).toEqual([]);
});

test("the kubernetes provider is configured by the environment alone", () => {
  expect(access.provider.kubernetes).toEqual([{}]);
});

test("access reads the public bundle of the PKI and nothing else", () => {
  const read = expressionsIn(access).filter((text) => text.includes("terraform_remote_state"));
  expect(read.length).toBeGreaterThan(0);
  const name = /outputs\.([\w-]+)/;
  const outputs = [...new Set(read.map((text) => name.exec(text)![1]!))];
  expect(outputs.map((output) => pki.output[output].value)).toEqual([
    "${tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem}",
  ]);
});

test("no output of any stack refers to a private key or secret", () => {
  const secret = /private_key_pem|random_password|random_string/;
  for (const { output } of Object.values<any>(stacks)) {
    expect(expressionsIn(output).filter((text) => secret.test(text))).toEqual([]);
  }
});

test("only what crosses stacks is marked sensitive, by cdktf", () => {
  const sensitive = Object.values<any>(stacks).flatMap(({ output }) =>
    Object.keys(output).filter((name) => output[name].sensitive),
  );
  expect(sensitive.filter((name) => !name.startsWith("cross-stack-output-"))).toEqual([]);
});

describe("warnings", () => {
  afterEach(() => jest.restoreAllMocks());

  function printed(root: App): string[] {
    const error = jest.spyOn(console, "error").mockImplementation(() => undefined);
    printWarnings(root);
    return error.mock.calls.map(([line]) => line as string);
  }

  test("there are none for the sample", () => {
    expect(printed(app)).toEqual([]);
  });

  test("are printed with the path of their construct", () => {
    const careless = newApp();
    new ClusterPkiStack(careless, "test-pki", { ...clusters[0]!, deletionProtection: false });
    expect(printed(careless)).toEqual([
      "warning: test-pki/pki: deletionProtection is off: a plan may destroy authorities and service-account keys",
    ]);
  });
});
