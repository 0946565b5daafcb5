import {
  either,
  fields,
  Fields,
  host,
  hosts,
  list,
  name,
  nameOrToken,
  number,
  optional,
  type Shape,
  tagged,
  text,
} from "../../terraform/shape";
import { checkInherited } from "../../terraform/construct-id";
import { VALIDITY } from "../../x509/validity";
import { ALT_NAMES } from "../../x509/alt-name-shape";
import type { Cluster, ControlPlane, Endpoint, Etcd, Machine } from "../cluster";

const PORT = optional(number(6443));

/** A union's members that have a field. */
type With<U, K extends string> = Extract<U, Readonly<Record<K, unknown>>>;

const BY_DNS = fields({
  dns: host("api.example.com", "a DNS name"),
  port: PORT,
} satisfies Fields<With<Endpoint, "dns">>);

const BY_IP = fields({ ip: host("10.0.0.10", "an IP address"), port: PORT } satisfies Fields<With<Endpoint, "ip">>);

const HOST_AND_PORT: Shape = name("api.example.com:6443", "host:port, where host is a DNS name or an IP address");

/** Where clients find the API server, where that is expected. What is unresolved in it is looked at where endpoints are. */
export const ENDPOINT: Shape = {
  ...either(
    `${HOST_AND_PORT.allowed}; or { dns: "…" } or { ip: "…" }`,
    HOST_AND_PORT.example,
    (value) => {
      if (typeof value === "string") {
        return HOST_AND_PORT;
      }
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      return isObject ? ("ip" in value ? BY_IP : BY_DNS) : undefined;
    },
    true,
  ),
  passesUnresolved: true,
};

const MACHINE_NAME: Shape = {
  ...nameOrToken("cp-1"),
  find(value, at, problems) {
    nameOrToken("cp-1").find(value, at, problems);
    checkInherited(value, at, problems);
  },
};

const MACHINE_FIELDS = {
  name: MACHINE_NAME,
  addresses: optional(hosts(host("10.0.0.11", "an IP address"))),
} satisfies Fields<Machine>;

const CONTROL_PLANE_FIELDS = {
  ...MACHINE_FIELDS,
  bindPort: PORT,
  extraSans: optional(ALT_NAMES),
} satisfies Fields<ControlPlane>;

const MACHINES = list(fields(MACHINE_FIELDS));

const ETCD = tagged("topology", {
  stacked: {},
  members: { members: MACHINES } satisfies Fields<Omit<With<Etcd, "members">, "topology">>,
  external: { endpoints: optional(list(text('"https://etcd-1.example.com:2379"'))) } satisfies Fields<
    Omit<Extract<Etcd, { topology: "external" }>, "topology">
  >,
} satisfies Record<Etcd["topology"], object>);

const CLUSTER_FIELDS = {
  name: nameOrToken("prod"),
  endpoint: ENDPOINT,
  serviceCidrs: list(nameOrToken("10.96.0.0/12")),
  clusterDomain: optional(nameOrToken("cluster.local")),
  clusterSigningDuration: optional(VALIDITY),
  controlPlanes: optional(list(fields(CONTROL_PLANE_FIELDS))),
  workers: optional(MACHINES),
  etcd: optional(ETCD),
  extraSans: optional(ALT_NAMES),
} satisfies Fields<Cluster>;

/** A cluster, where one is expected. */
export const CLUSTER_SHAPE = fields(CLUSTER_FIELDS);

/** What a kubeconfig says of a cluster, where that is expected: the rest of the description may stand there too. */
export const NAME_AND_ENDPOINT = fields(
  { name: CLUSTER_FIELDS.name, endpoint: ENDPOINT } satisfies Fields<Pick<Cluster, "name" | "endpoint">>,
  Object.keys(CLUSTER_FIELDS),
);
