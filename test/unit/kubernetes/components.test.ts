import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Consumer } from "../../../lib";
import { ETCD, KUBERNETES } from "../../../lib/kubernetes/components";
import { CATALOGUE, nameOf, readersIn, TABLES } from "../../support/catalogue";

const LIB = join(__dirname, "../../../lib");

/** What is true of a component, wherever it runs. */
function factsOf({ onChange, measured }: Consumer): Pick<Consumer, "onChange" | "measured"> {
  return { onChange, measured };
}

const facts = new Map(CATALOGUE.map((entry) => [nameOf(entry), factsOf(entry)] as const));

/** Lines of the library that match, outside the catalogue and comments. */
function linesWith(pattern: RegExp): string[] {
  return readdirSync(LIB, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && file !== join("kubernetes", "components.ts"))
    .flatMap((file) => readFileSync(join(LIB, file), "utf8").split("\n"))
    .filter((line) => pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
    .map((line) => line.trim());
}

test("each flag, field and use of a component has one entry", () => {
  const names = CATALOGUE.map((entry) => JSON.stringify([nameOf(entry), factsOf(entry)]));
  expect(new Set(names).size).toBe(facts.size);
  expect(facts.size).toBeGreaterThan(70);
});

test("tables say of a component what the catalogue says", () => {
  for (const reader of TABLES.flatMap(readersIn)) {
    expect([nameOf(reader), factsOf(reader)]).toEqual([nameOf(reader), facts.get(nameOf(reader))]);
  }
});

test("every entry is used by a table", () => {
  const used = new Set(TABLES.flatMap(readersIn).map(nameOf));
  expect([...facts.keys()].filter((name) => !used.has(name))).toEqual([]);
});

test("no table makes a reader of its own, and versions stand once", () => {
  expect(
    linesWith(/\bvia: \{ (flag|configField|use)\b|\bcomponent: "|onChange: "(reload|restart|next-use)"[,}]/),
  ).toEqual([]);
  expect(linesWith(/"1\.36\.3"|"3\.6\.14"/)).toEqual([]);
});

test("what is measured is measured on the versions that the sandbox builds", () => {
  const built = (tool: string, module: string) => {
    const text = readFileSync(join(LIB, "../test/sandbox/toolchain", tool, "go.mod"), "utf8");
    return new RegExp(`^\\s*(?:require )?${module} v(\\S+)`, "m").exec(text)?.[1];
  };
  expect(built("kubernetes", "k8s.io/kubernetes")).toBe(KUBERNETES);
  // Kubernetes' libraries are v0 where it is v1.
  expect(built("fake-runtime", "k8s.io/cri-client")).toBe(KUBERNETES.replace(/^1/, "0"));
  expect(built("etcd", "go.etcd.io/etcd/server/v3")).toBe(ETCD);
  for (const { component, measured } of CATALOGUE.filter((entry) => entry.measured)) {
    expect([component, measured]).toEqual([component, component === "etcd" ? ETCD : KUBERNETES]);
  }
});

// Ports by https://kubernetes.io/docs/reference/networking/ports-and-protocols/, and of the konnectivity server by
// https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/.
test.each([
  ["kube-apiserver", "6443", ["--tls-cert-file", "--client-ca-file", "--requestheader-client-ca-file"]],
  ["etcd", "2379", ["--cert-file", "--trusted-ca-file"]],
  ["etcd", "2380", ["--peer-cert-file", "--peer-trusted-ca-file"]],
  ["kubelet", "10250", ["tlsCertFile", "kubelet.crt of --cert-dir", "authentication.x509.clientCAFile"]],
  ["kube-controller-manager", "10257", ["--tls-cert-file", "--client-ca-file", "--requestheader-client-ca-file"]],
  ["kube-scheduler", "10259", ["--tls-cert-file"]],
  ["konnectivity-server", "8132", ["--cluster-cert"]],
  ["k0s", "9443", ["k0s api, which each controller runs"]],
])("%s shows on port %s what it read by %j", (component, port, vias) => {
  const shown = CATALOGUE.filter((entry) => entry.component === component && `${entry.port?.number}` === port);
  expect([...new Set(shown.map(nameOf))].sort()).toEqual(vias.map((via) => `${component} ${via}`).sort());
});

test("the request-header block stands once, with the name that a distribution gives its front proxies", () => {
  const blocks = TABLES.flatMap(readersIn).flatMap(({ with: flags = {} }) =>
    "--requestheader-allowed-names" in flags ? [flags] : [],
  );
  expect(blocks.length).toBeGreaterThan(5);
  for (const block of blocks) {
    // https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#enable-kubernetes-apiserver-flags
    expect(block).toEqual({
      "--requestheader-allowed-names": expect.stringMatching(
        /^(front-proxy-client|system:auth-proxy|aggregator)$/,
      ) as string,
      "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
      "--requestheader-group-headers": "X-Remote-Group",
      "--requestheader-username-headers": "X-Remote-User",
    });
  }
  expect(linesWith(/X-Remote-/)).toEqual([]);
});

test("every row says what it is for", () => {
  const rows = TABLES.flatMap(({ authorities, keyPairs, certificates, joinPasswords = {}, access, configuration }) => [
    ...[authorities, keyPairs, certificates, joinPasswords, access.tokens].flatMap((part) => Object.values(part)),
    ...configuration,
    ...Object.values(joinPasswords).flatMap((row) => row.configuration ?? []),
  ]);
  expect(
    rows.filter(
      ({ purpose }) => !/^(CA|certificate|key pair|password|bootstrap token|configuration|manifest) /.test(purpose),
    ),
  ).toEqual([]);
});
