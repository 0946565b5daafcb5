import { Cluster } from "../../../lib";
import { EXTERNAL, MEMBERS, ONE, terraformOfPki, THREE } from "../../support/cluster";
import { filesIn, expressionsIn, resourcesOf } from "../../support/graph";
import { referencesIn } from "../../../lib/kubernetes/content-readers";

/* eslint-disable @typescript-eslint/no-explicit-any -- looks anywhere into the JSON */

const CLUSTERS: Record<string, Cluster> = {
  "one control plane": ONE,
  "three control planes, stacked etcd, a worker": THREE,
  "three control planes, three etcd members, a worker": MEMBERS,
  "two control planes, external etcd": EXTERNAL,
};

/** Files that several machines have with the same content, and who has them. */
const SHARED: Record<string, readonly string[]> = {
  "/etc/kubernetes/pki/ca-signing.crt": ["control-plane"],
  "/etc/kubernetes/pki/ca.crt": ["control-plane", "worker"],
  "/etc/kubernetes/pki/ca.key": ["control-plane"],
  "/etc/kubernetes/pki/etcd/ca.crt": ["control-plane", "etcd"],
  "/etc/kubernetes/pki/etcd/ca.key": ["etcd"],
  "/etc/kubernetes/pki/front-proxy-ca.crt": ["control-plane"],
  "/etc/kubernetes/pki/front-proxy-ca.key": ["control-plane"],
  "/etc/kubernetes/pki/sa.key": ["control-plane"],
  "/etc/kubernetes/pki/sa.pub": ["control-plane"],
};

describe.each(Object.entries(CLUSTERS))("%s", (_, cluster) => {
  const terraform = terraformOfPki(cluster);
  const resources = resourcesOf(terraform);
  const ofType = (type: string) => [...resources].filter(([address]) => address.startsWith(`${type}.`));
  const files: Record<string, Record<string, any>> = filesIn(terraform);

  const isMachine = (holder: string) => holder !== "operator" && holder !== "worker";
  const isAuthorityOrPair = (address: string) => /__(ca|keys)__/.test(address);

  /** Holders of the private key of a leaf, by address. */
  const holdersOfLeafKeys = new Map<string, Set<string>>();
  for (const [holder, byPath] of Object.entries(files)) {
    for (const { content } of Object.values(byPath)) {
      for (const { address, attribute } of referencesIn(content)) {
        if (/private_key_pem$/.test(attribute) && !isAuthorityOrPair(address)) {
          holdersOfLeafKeys.set(address, (holdersOfLeafKeys.get(address) ?? new Set()).add(holder));
        }
      }
    }
  }

  test("every private key belongs to exactly one request, authority or key pair", () => {
    const keyOf = ([, resource]: [string, any]) => resource.private_key_pem as string;
    const owners = [...ofType("tls_cert_request"), ...ofType("tls_self_signed_cert")].map(keyOf);
    const pairs = ofType("tls_private_key").filter(([address]) => address.includes("__keys__"));
    const used = [...owners, ...pairs.map(([address]) => `\${${address}.private_key_pem}`)];
    expect(used.sort()).toEqual(
      ofType("tls_private_key")
        .map(([address]) => `\${${address}.private_key_pem}`)
        .sort(),
    );
  });

  test("every request is signed exactly once, under its own name", () => {
    for (const [address, { cert_request_pem: request }] of ofType("tls_locally_signed_cert")) {
      expect(request).toBe(`\${tls_cert_request.${address.split(".")[1]}.cert_request_pem}`);
    }
    expect(ofType("tls_locally_signed_cert")).toHaveLength(ofType("tls_cert_request").length);
  });

  test("every certificate is signed with the key of the authority that it names", () => {
    for (const [, { ca_cert_pem: certificate, ca_private_key_pem: key }] of ofType("tls_locally_signed_cert")) {
      expect(key).toBe(
        certificate.replace("tls_self_signed_cert", "tls_private_key").replace("cert_pem", "private_key_pem"),
      );
    }
  });

  test("no key of a leaf is in the files of two holders", () => {
    const several = [...holdersOfLeafKeys].filter(([, holders]) => holders.size > 1).map(([address]) => address);
    expect(several).toEqual([]);
  });

  test("every leaf's key is in the files of its own holder", () => {
    const leaves = ofType("tls_private_key")
      .map(([address]) => address)
      .filter((address) => !isAuthorityOrPair(address));
    expect([...holdersOfLeafKeys.keys()].sort()).toEqual(leaves.sort());
    for (const [address, holders] of holdersOfLeafKeys) {
      expect([...holders]).toEqual([address.split("__")[1]]);
    }
  });

  test("what is shared is exactly the list of shared files", () => {
    const contents = new Map<string, string[]>();
    for (const [holder, byPath] of Object.entries(files).filter(([name]) => isMachine(name))) {
      for (const [path, { content }] of Object.entries(byPath)) {
        const text = `${path} ${JSON.stringify(content)}`;
        contents.set(text, [...(contents.get(text) ?? []), holder]);
      }
    }
    const shared = [...contents].filter(([, holders]) => holders.length > 1);
    const stacked = cluster.etcd?.topology === undefined;
    const roleOf = (holder: string) =>
      holder.startsWith("cp-")
        ? ["control-plane", ...(stacked ? ["etcd"] : [])]
        : [holder.startsWith("etcd") ? "etcd" : "worker"];
    const expected = Object.entries(SHARED).flatMap(([path, roles]) => {
      const holders = Object.keys(files).filter(
        (name) => isMachine(name) && roleOf(name).some((role) => roles.includes(role)),
      );
      const exists = cluster.etcd?.topology !== "external" || !path.includes("/etcd/");
      return exists && holders.length > 1 ? [`${path}: ${holders.join(", ")}`] : [];
    });
    expect(shared.map(([text, holders]) => `${text.split(" ")[0]}: ${holders.join(", ")}`).sort()).toEqual(
      expected.sort(),
    );
  });

  test("keys of authorities are with control planes and etcd members alone, never with workers or the operator", () => {
    for (const [holder, byPath] of Object.entries(files)) {
      const keys = Object.values(byPath)
        .flatMap(({ content }) => referencesIn(content))
        .filter(({ address, attribute }) => attribute.endsWith("private_key_pem") && isAuthorityOrPair(address));
      if (!/^(cp|etcd)-/.test(holder)) {
        expect({ holder, keys }).toEqual({ holder, keys: [] });
      }
    }
  });

  test("an etcd member that is no control plane has nothing but what is etcd's", () => {
    for (const [holder, byPath] of Object.entries(files).filter(([name]) => name.startsWith("etcd-"))) {
      const strays = Object.keys(byPath).filter((path) => !path.startsWith("/etc/kubernetes/pki/etcd/"));
      expect({ holder, strays }).toEqual({ holder, strays: [] });
    }
  });

  test("nothing of system:masters is on a machine", () => {
    const masters = ofType("tls_cert_request")
      .filter(([, { subject }]) => subject[0].organization === "system:masters")
      .map(([address]) => address.split(".")[1]!);
    expect(masters).toEqual(["pki__operator__super-admin"]);
    const held = Object.entries(files).filter(([, byPath]) =>
      masters.some((name) => JSON.stringify(byPath).includes(name)),
    );
    expect(held.map(([holder]) => holder)).toEqual(["operator"]);
  });

  test("every file refers to resources that exist", () => {
    const addresses = Object.values(files)
      .flatMap((byPath) => Object.values(byPath))
      .flatMap(({ content }) => referencesIn(content))
      .map(({ address }) => address);
    expect(addresses.filter((address) => !resources.has(address))).toEqual([]);
  });

  test("no output is sensitive or holds an expression of a private key", () => {
    expect(expressionsIn(terraform.output).filter((text) => text.includes("private_key_pem"))).toEqual([]);
    expect(Object.values<any>(terraform.output).filter(({ sensitive }) => sensitive)).toEqual([]);
  });
});
