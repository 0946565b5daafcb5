/* eslint-disable @typescript-eslint/no-explicit-any -- what is planted here is what no type allows */

/** A mistake that is planted into props that are right. */
export interface Fault {
  readonly name: string;
  /** Where an error has to say it is: part of `at`, or of the path. */
  readonly at: RegExp;
  /**
   * Changes the props.
   * @returns false where they have no such place
   */
  readonly plant: (props: any) => boolean;
  /** Faults of one place cannot be planted together. */
  readonly place: string;
  /** How far below the props it is. */
  readonly depth: number;
}

/** Sets a value that stands there, or may stand there. */
function set(name: string, at: RegExp, place: string, path: string, value: unknown): Fault {
  const keys = path.split(".");
  const last = keys.pop()!;
  return {
    name: `${name}: ${path}`,
    at,
    place,
    depth: keys.length,
    plant: (props) => {
      const owner = keys.reduce<any>((inner, key) => inner?.[key], props);
      if (typeof owner !== "object" || owner === null) {
        return false;
      }
      if (value === undefined) {
        Reflect.deleteProperty(owner, last);
      } else {
        owner[last] = value;
      }
      return true;
    },
  };
}

const MISSING = undefined;
const MACHINE = "cluster.controlPlanes.0";

/** Mistakes in the description of a cluster, whatever its distribution. */
export const FAULTS: readonly Fault[] = [
  // What YAML and JavaScript bring.
  set("missing", /endpoint/, "endpoint", "cluster.endpoint", MISSING),
  set("null", /endpoint/, "endpoint", "cluster.endpoint", null),
  set("number", /endpoint/, "endpoint", "cluster.endpoint", 6443),
  set("empty object", /endpoint/, "endpoint", "cluster.endpoint", {}),
  set("two kinds", /endpoint/, "endpoint", "cluster.endpoint", { dns: "a.example.com", ip: "10.0.0.1" }),
  set("URL", /endpoint/, "endpoint", "cluster.endpoint", "https://api.example.com:6443"),
  set("two ports", /endpoint/, "endpoint", "cluster.endpoint", "api.example.com:6443:6443"),
  set("IPv6 and port", /endpoint/, "endpoint", "cluster.endpoint", "2001:db8::1:6443"),
  set("port as text", /endpoint/, "endpoint", "cluster.endpoint", { dns: "api.example.com", port: "6443" }),
  set("no port", /endpoint/, "endpoint", "cluster.endpoint", { dns: "api.example.com", port: NaN }),
  set("great port", /endpoint/, "endpoint", "cluster.endpoint", "api.example.com:65536"),
  set("unspecified address", /endpoint/, "endpoint", "cluster.endpoint", "0.0.0.0:6443"),
  set("missing", /cluster\.name|addressPrefix/, "name", "cluster.name", MISSING),
  set("number", /cluster\.name/, "name", "cluster.name", 123),
  set("upper case", /cluster\.name/, "name", "cluster.name", "Prod"),
  set("template", /cluster\.name/, "name", "cluster.name", "${var.name}"),
  set("empty", /cluster\.name/, "name", "cluster.name", ""),
  set("missing", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", MISSING),
  set("text", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", "10.96.0.0/12"),
  set("empty", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", []),
  set("number", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", [10]),
  set("host bits", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", ["10.96.0.1/12"]),
  set("no prefix", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", ["10.96.0.0"]),
  set("one family twice", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", ["10.96.0.0/16", "10.97.0.0/16"]),
  set("small", /serviceCidrs/, "cidrs", "cluster.serviceCidrs", ["10.96.0.0/30"]),
  set("text", /controlPlanes/, "machines", "cluster.controlPlanes", "cp-1"),
  set("texts", /controlPlanes/, "machines", "cluster.controlPlanes", ["cp-1"]),
  set("null in it", /controlPlanes/, "machines", "cluster.controlPlanes", [null]),
  set("missing", /controlPlanes\[0\]/, "machine name", `${MACHINE}.name`, MISSING),
  set("number", /controlPlanes\[0\]\.name/, "machine name", `${MACHINE}.name`, 1),
  set("blank", /controlPlanes\[0\]\.name/, "machine name", `${MACHINE}.name`, "cp 1"),
  set("address", /controlPlanes\[0\]\.name/, "machine name", `${MACHINE}.name`, "10.0.0.1"),
  set("long", /controlPlanes\[0\]\.name/, "machine name", `${MACHINE}.name`, "n".repeat(60)),
  set("inherited", /controlPlanes\[0\]\.name/, "machine name", `${MACHINE}.name`, "worker"),
  set("text", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, "10.0.0.1"),
  set("number", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, [10]),
  set("CIDR", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["10.0.0.1/24"]),
  set("leading zeros", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["010.0.0.1"]),
  set("name", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["cp-1.example.com"]),
  set("unspecified", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["0.0.0.0"]),
  set("loopback", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["127.0.0.1"]),
  set("multicast", /controlPlanes\[0\]\.addresses/, "addresses", `${MACHINE}.addresses`, ["224.0.0.1"]),
  set("great", /controlPlanes\[0\]\.bindPort/, "bindPort", `${MACHINE}.bindPort`, 70_000),
  set("text", /controlPlanes\[0\]\.bindPort/, "bindPort", `${MACHINE}.bindPort`, "6443"),
  set("unknown key", /controlPlanes\[0\]/, "machine key", `${MACHINE}.address`, ["10.0.0.1"]),
  set("unknown key", /extraSANs/, "cluster key", "cluster.extraSANs", ["a.example.com"]),
  set("unknown key", /controlplanes/, "cluster key", "cluster.controlplanes", []),
  set("text", /extraSans/, "extraSans", "cluster.extraSans", "a.example.com"),
  set("number", /extraSans/, "extraSans", "cluster.extraSans", [1]),
  set("null", /extraSans/, "extraSans", "cluster.extraSans", [null]),
  set("URL", /extraSans/, "extraSans", "cluster.extraSans", ["https://a.example.com"]),
  set("wrong kind", /extraSans/, "extraSans", "cluster.extraSans", [{ dns: ["10.0.0.1"] }]),
  set("unknown kind", /extraSans/, "extraSans", "cluster.extraSans", [{ dnsNames: ["a.example.com"] }]),
  set("control character", /extraSans/, "extraSans", "cluster.extraSans", ["a\u0000.example.com"]),
  set("word", /etcd/, "etcd", "cluster.etcd", "member"),
  set("word", /etcd/, "etcd", "cluster.etcd", { topology: "member" }),
  set("no members", /etcd/, "etcd", "cluster.etcd", { topology: "members" }),
  set("number", /clusterDomain/, "clusterDomain", "cluster.clusterDomain", 1),
  set("last dot", /clusterDomain/, "clusterDomain", "cluster.clusterDomain", "cluster.local."),
  set("missing", /distribution/, "distribution", "distribution", MISSING),
  set("word", /distribution/, "distribution", "distribution", "kubeadm"),
  set("missing", /cluster/, "endpoint", "cluster", MISSING),
  set("number", /validity/, "validity", "validity", 90),
  set("word", /keyAlgorithm/, "keyAlgorithm", "keyAlgorithm", "RSA"),
  set("word", /issueLeaves/, "issueLeaves", "issueLeaves", "yes"),
  set("unknown field", /subject/, "subject", "subject", { commonName: "x" }),
  set("number", /subject/, "subject", "subject", { country: 49 }),
  set("text", /certificates/, "certificates", "certificates", "apiserver"),
  set("letter missing", /certificates/, "certificates", "certificates", { apiserer: {} }),
  set("inherited", /certificates/, "certificates", "certificates", { constructor: {} }),
  set("letter missing", /authorities/, "authorities", "authorities", { kubernets: {} }),
  set("word", /authorities/, "authorities", "authorities", { kubernetes: { generations: { g1: "active" } } }),
  set("capital", /authorities/, "authorities", "authorities", { kubernetes: { generations: { G1: null } } }),
  set("word", /serviceAccount/, "serviceAccount", "serviceAccount", "g1"),
  set("unknown key", /serviceAccount/, "serviceAccount", "serviceAccount", { generation: {} }),
  set("capital", /addressPrefix/, "addressPrefix", "addressPrefix", "Prod"),
  set("number", /addressPrefix/, "addressPrefix", "addressPrefix", 1),
  set("number", /movedFrom/, "movedFrom", "movedFrom", 1),
  set("unknown key", /isSafe/, "key", "isSafe", true),
];

/** What no message may hold: what JavaScript writes where nobody thought, cdktf's tokens, and keys. */
export const NEVER_SAID = /\bundefined\b|\[object \w+\]|\bNaN\b|TfToken|PRIVATE KEY|\bfunction\b/;
