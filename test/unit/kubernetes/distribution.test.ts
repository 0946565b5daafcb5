import { TerraformStack } from "cdktf";
import { gzipSync } from "node:zlib";
import {
  CertificateRow,
  ClusterPki,
  Distribution,
  DistributionTable,
  EtcdTopology,
  evaluate,
  FileRow,
  HolderKind,
  KeyUsage,
} from "../../../lib";
import { placedMachines } from "../../../lib/kubernetes/cluster";
import { baseFlags, componentsOf, pkiFlags, Site } from "../../sandbox/components";
import { SandboxDescription } from "../../sandbox/description";
import { unpacked } from "../../sandbox/distribution";
import { newStack, problemsOf, terraformOf } from "../../support/synth";

// A distribution as somebody makes it who has the package alone.
const file = (path: string, kind: FileRow["kind"], flag: string): FileRow => ({
  path,
  kind,
  on: ["control-plane"],
  consumers: [{ component: "kube-apiserver", via: { flag }, onChange: "restart" }],
});

const server: CertificateRow = {
  purpose: "certificate for serving the Kubernetes API",
  authority: "root",
  commonName: "{machine}.example",
  usage: KeyUsage.SERVER,
  sans: ["{machine}", "api.{clusterDomain}", "{addresses}"],
  holders: ["control-plane"],
  issuedBy: "terraform",
  files: [
    file("/opt/own/server.pem", "certificate", "--tls-cert-file"),
    file("/opt/own/server-key.pem", "private key", "--tls-private-key-file"),
  ],
};

const tokens = (...files: FileRow[]) => ({ purpose: "key pair for signing service account tokens", files });

const own: DistributionTable = {
  name: "own",
  version: "1",
  requires: { controlPlanes: true, addresses: false },
  apiServerAuthority: "root",
  authorities: {
    root: {
      purpose: "CA of everything",
      commonName: "own-root",
      files: [file("/opt/own/root.pem", "bundle", "--client-ca-file")],
    },
  },
  keyPairs: { tokens: tokens(file("/opt/own/tokens.pub", "public keys", "--service-account-key-file")) },
  certificates: { server },
  configuration: [
    {
      purpose: "the cluster's name",
      path: "/opt/own/name",
      on: ["control-plane"],
      text: "{clusterName}\n",
      consumers: [],
    },
  ],
  access: { ...Distribution.KUBEADM.table.access, tokens: {} },
};

function pkiOf(stack: TerraformStack): ClusterPki {
  return new ClusterPki(stack, "pki", {
    addressPrefix: "pki",
    distribution: new Distribution(own),
    cluster: {
      name: "prod",
      endpoint: "api.prod.example.com",
      serviceCidrs: ["10.96.0.0/12"],
      clusterDomain: "own.local",
      controlPlanes: [{ name: "a.b" }],
    },
  });
}

describe("a distribution of one's own", () => {
  test("gets its addresses and names", () => {
    const stack = newStack();
    pkiOf(stack);
    const { resource } = terraformOf(stack);
    expect(Object.keys(resource.tls_private_key).sort()).toEqual([
      "pki__a_b__server",
      "pki__ca__root__g1",
      "pki__keys__tokens__g1",
    ]);
    expect(resource.tls_cert_request["pki__a_b__server"]).toMatchObject({
      subject: [{ common_name: "a.b.example" }],
      dns_names: ["a.b", "api.own.local"],
    });
  });

  test("gets its files", () => {
    const files = pkiOf(newStack()).files("a.b");
    const lookup = ({ address, attribute }: { address: string; attribute: string }) => `<${address}.${attribute}>`;
    expect(files.map(({ path, mode, content }) => [path, mode, evaluate(content, lookup)])).toEqual([
      ["/opt/own/name", "0644", "prod\n"],
      ["/opt/own/root.pem", "0644", "<tls_self_signed_cert.pki__ca__root__g1.cert_pem>"],
      ["/opt/own/server-key.pem", "0600", "<tls_private_key.pki__a_b__server.private_key_pem>"],
      ["/opt/own/server.pem", "0644", "<tls_locally_signed_cert.pki__a_b__server.cert_pem>"],
      ["/opt/own/tokens.pub", "0644", "<tls_private_key.pki__keys__tokens__g1.public_key_pem>"],
    ]);
  });
});

describe("a sandbox", () => {
  const cluster = { name: "prod", endpoint: "api.prod.example.com", serviceCidrs: ["10.96.0.0/12"] };
  const site = (table: DistributionTable, ...holders: HolderKind[]): Site => {
    return { table, cluster, machine: "a.b", root: "/root", holders };
  };

  test("starts its components with the flags that the table says", () => {
    expect(pkiFlags("kube-apiserver", site(own, "control-plane"))).toEqual([
      "--client-ca-file=/root/opt/own/root.pem",
      "--service-account-key-file=/root/opt/own/tokens.pub",
      "--tls-cert-file=/root/opt/own/server.pem",
      "--tls-private-key-file=/root/opt/own/server-key.pem",
    ]);
    expect(pkiFlags("etcd", site(own, "control-plane"))).toEqual([]);
    expect(pkiFlags("kube-apiserver", site(own, "worker"))).toEqual([]);
  });

  test("refuses two files for one flag, of which a component would use the last without a word", () => {
    const files = [...server.files, file("/opt/own/other.pem", "certificate", "--tls-cert-file")];
    const table = { ...own, certificates: { server: { ...server, files } } };
    expect(() => pkiFlags("kube-apiserver", site(table, "control-plane"))).toThrow(
      "--tls-cert-file=/root/opt/own/server.pem --tls-cert-file=/root/opt/own/other.pem",
    );
  });

  test("gives a flag that is repeated all its files", () => {
    const more = tokens(file("/opt/own/more.pub", "public keys", "--service-account-key-file"));
    const table = { ...own, keyPairs: { ...own.keyPairs, more } };
    expect(pkiFlags("kube-apiserver", site(table, "control-plane"))).toEqual(
      expect.arrayContaining(["tokens", "more"].map((name) => `--service-account-key-file=/root/opt/own/${name}.pub`)),
    );
  });

  test("has no flag of its own that names a file of a PKI", () => {
    const ports = { apiServer: 1, etcdClient: 2, etcdPeer: 3, controllerManager: 4 };
    const { cluster } = new SandboxDescription({ port: 1, kubernetesProvider: "2.38.0" }).props;
    const stand = { cluster, machine: "cp-1", ports, data: "/root/etcd" };
    const components = placedMachines(cluster).flatMap(componentsOf);
    expect(components).toEqual(["etcd", "kube-apiserver", "kube-controller-manager"]);
    const flags = components.flatMap((component) => baseFlags(component, stand));
    expect(flags.filter((flag) => flag.includes("=/"))).toEqual(["--data-dir=/root/etcd"]);
  });

  test("unpacks what a machine joins with as the table packs it", () => {
    const kubeconfig = { kubeconfig: { user: "somebody" } };
    expect(unpacked(kubeconfig, "text")).toBe("text");
    const packed = gzipSync("text").toString("base64");
    expect(unpacked({ ...kubeconfig, encoding: "base64gzip" }, packed)).toBe("text");
  });
});

describe("a table is refused", () => {
  const problems = (change: Partial<DistributionTable>) => problemsOf(() => new Distribution({ ...own, ...change }));
  const withServer = (change: Partial<CertificateRow>) =>
    problems({ certificates: { server: { ...server, ...change } } });

  test("with a row whose authority it lacks", () => {
    expect(withServer({ authority: "other" })).toEqual([
      {
        code: "unknown-authority",
        at: "certificates.server.authority",
        given: '"other"',
        allowed: "root",
        fix: "add its row to authorities",
      },
    ]);
    expect(problems({ apiServerAuthority: "other" })).toMatchObject([{ at: "apiServerAuthority" }]);
  });

  test("with two rows that write one file", () => {
    const path = "/opt/own/root.pem";
    expect(problems({ keyPairs: { tokens: tokens(file(path, "public keys", "--x")) } })).toEqual([
      {
        code: "file-twice",
        at: "keyPairs.tokens",
        given: `"${path}"`,
        allowed: "a file of control-plane that authorities.root does not write",
        fix: "choose another path",
      },
    ]);
  });

  test("with two texts for one file, unless etcd is never where both are written", () => {
    const [name] = own.configuration;
    const texts = (...places: (EtcdTopology[] | undefined)[]) => ({
      configuration: places.map((etcd) => ({ ...name!, etcd })),
    });
    expect(() => new Distribution({ ...own, ...texts(["stacked"], ["members", "external"]) })).not.toThrow();
    for (const places of [
      [undefined, ["members"]],
      [["stacked", "members"], ["members"]],
    ] as EtcdTopology[][][]) {
      expect(problems(texts(...places))).toMatchObject([{ code: "file-twice", at: "configuration" }]);
    }
  });

  test.each(["opt/own/keys.pem", "/opt/own//keys.pem", "/opt/../keys.pem", "/opt/own/"])(
    "with a file at %s",
    (path) => {
      expect(problems({ keyPairs: { tokens: tokens(file(path, "public keys", "--x")) } })).toMatchObject([
        { code: "file-path", at: "keyPairs.tokens", given: `"${path}"` },
      ]);
    },
  );

  test("with a file for a first start that no command could find, or that nobody could see", () => {
    const of = (folder: string, madeAtStart: string) =>
      problems({
        keyPairs: {
          tokens: tokens({
            ...file("/opt/own/keys.pem", "public keys", "--x"),
            firstStartOnly: { command: "own rotate", folder, madeAtStart },
          }),
        },
      });
    const at = "keyPairs.tokens";
    expect(() => of("/opt/own", "/opt/own/made")).toThrow("no PkiError was thrown");
    expect(of("/opt/ow", "/opt/own/made")).toMatchObject([
      { code: "file-path", at, given: '"/opt/own/keys.pem"', allowed: "a path below /opt/ow" },
    ]);
    expect(of("/opt/own", "made")).toMatchObject([{ code: "file-path", at, given: '"made"' }]);
  });

  test("with a key pair that is called like an authority", () => {
    expect(problems({ keyPairs: { root: tokens() } })).toMatchObject([
      { code: "name-twice", at: "keyPairs.root", given: '"root"' },
    ]);
  });

  test("whose data directory is none", () => {
    expect(problemsOf(() => Distribution.k3s({ dataDir: "srv/k3s/" }))[0]).toMatchObject({ code: "file-path" });
  });

  test("whose data directory would be more than one line in a configuration", () => {
    const dataDir = "/srv/k0s\n    evil: true";
    expect(problemsOf(() => Distribution.k0s({ dataDir }))[0]).toMatchObject({ code: "plain-text" });
  });

  test("with a key that all workers would share", () => {
    expect(withServer({ holders: ["control-plane", "worker"] })).toMatchObject([
      { code: "shared-key", at: "certificates.server.holders" },
    ]);
  });

  test("with a file on somebody who does not hold the certificate", () => {
    expect(withServer({ files: [{ ...server.files[0]!, on: ["control-plane", "named-worker"] }] })).toMatchObject([
      { code: "file-holder", given: '"/opt/own/server.pem on named-worker"', allowed: "control-plane" },
    ]);
  });

  test("with system:masters, unless it says why", () => {
    expect(withServer({ organization: "system:masters" })).toMatchObject([{ code: "system-masters" }]);
    const table = {
      ...own,
      certificates: { server: { ...server, organization: "system:masters", breakGlass: "why" } },
    };
    expect(() => new Distribution(table)).not.toThrow();
  });

  test("with one authority for clients and front proxies, unless front proxies are named", () => {
    const authority = (names?: Record<string, string>) => ({
      root: {
        purpose: "CA of everything",
        commonName: "own-root",
        files: [
          {
            ...file("/opt/own/root.pem", "bundle", "--client-ca-file"),
            consumers: ["--client-ca-file", "--requestheader-client-ca-file"].map((flag) => ({
              component: "kube-apiserver",
              via: { flag },
              with: names,
              onChange: "restart" as const,
            })),
          },
        ],
      },
    });
    expect(problems({ authorities: authority() })).toMatchObject([{ code: "front-proxy-authority" }]);
    const named = authority({ "--requestheader-allowed-names": "front-proxy-client" });
    expect(() => new Distribution({ ...own, authorities: named })).not.toThrow();
  });

  test("with all that is wrong at once, by its name", () => {
    const act = () =>
      new Distribution({ ...own, apiServerAuthority: "x", certificates: { server: { ...server, authority: "y" } } });
    expect(act).toThrow("2 problems at distribution own\n");
  });
});

describe("a token's kubeconfig names the file with the authority", () => {
  const { table } = Distribution.KUBEADM;
  const naming = (certificateAuthority: string) => () => {
    const worker = { ...table.access.tokens.worker!, format: { kubeconfig: { user: "u", certificateAuthority } } };
    return new Distribution({ ...table, access: { ...table.access, tokens: { worker } } });
  };

  test.each(["pki/ca.crt", "/etc/kubernetes/pki/ca.crt"])("as %s", (path) => {
    expect(naming(path)).not.toThrow();
  });

  test.each(["ca.crt", "/pki/ca.crt"])("and %s is none that the machine has", (path) => {
    expect(problemsOf(naming(path)).map(({ code }) => code)).toEqual(["join-authority"]);
  });
});
