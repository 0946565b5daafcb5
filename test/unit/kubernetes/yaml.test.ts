import { parse, parseAllDocuments } from "yaml";
import { evaluate } from "../../../lib";
import { fillYaml, holdersOf } from "../../../lib/kubernetes/holders";
import { scalar } from "../../../lib/kubernetes/yaml";
import { ONE, pkiOf } from "../../support/cluster";
import { newStack } from "../../support/synth";

/** What readers of YAML 1.1 take for numbers, truth values, nothing, dates or times of day. */
const LOOKALIKES = [
  "123",
  "0",
  "007",
  "1e3",
  "0x1f",
  "0o17",
  "1-2",
  "2001-01-01",
  "true",
  "null",
  "yes",
  "no",
  "on",
  "off",
  "y",
  "n",
];

describe("kubeadm's ClusterConfiguration", () => {
  const written = (name: string, clusterDomain?: string) => {
    const { pki } = pkiOf({ name, clusterDomain });
    const { content } = pki.files("cp-1").find(({ path }) => path.endsWith("/cluster-configuration.yaml"))!;
    return evaluate(content, () => "");
  };
  const cluster = (text: string, version: "1.1" | "1.2" = "1.2") =>
    parseAllDocuments(text, { version })[1]!.toJS() as unknown;

  test.each(LOOKALIKES)("has the name and the domain %s as text, for readers of both versions of YAML", (name) => {
    const domain = /^[0-9]+$/.test(name) ? `${name}.example` : name;
    for (const version of ["1.1", "1.2"] as const) {
      expect(cluster(written(name, domain), version)).toMatchObject({
        clusterName: name,
        controlPlaneEndpoint: ONE.endpoint,
        networking: { dnsDomain: domain, serviceSubnet: "10.96.0.0/12" },
      });
    }
  });

  test("has networks in their one spelling", () => {
    const { pki } = pkiOf({ serviceCidrs: ["10.96.0.0/12", "FD00:0010:0096::0/112"] });
    const { content } = pki.files("cp-1").find(({ path }) => path.endsWith("/cluster-configuration.yaml"))!;
    expect(cluster(evaluate(content, () => ""))).toMatchObject({
      networking: { serviceSubnet: "10.96.0.0/12,fd00:10:96::/112" },
    });
  });
});

test("in quotes a value becomes what stands in them, and what is no value stays", () => {
  expect(
    fillYaml(
      'a: "{clusterName}"\nb: {clusterName}\nc: {nothing}\n',
      { ...ONE, name: "true" },
      holdersOf(ONE)[0]!,
      newStack("one"),
    ),
  ).toBe('a: "true"\nb: "true"\nc: {nothing}\n');
});

test.each(["prod", "api.example.com", "https://10.0.0.1:6443", "https://[fd00::1]:6443", "10.96.0.0/12", "fd00::/112"])(
  "%s needs no quotes",
  (text) => {
    expect(scalar(text)).toBe(text);
    expect(parse(scalar(text), { version: "1.1" })).toBe(text);
  },
);

test.each([...LOOKALIKES, "~", "", "a b", "a: b", "::1", "- a"])("%j is text to every reader", (text) => {
  expect(parse(scalar(text), { version: "1.1" })).toBe(text);
  expect(parse(scalar(text), { version: "1.2" })).toBe(text);
});
