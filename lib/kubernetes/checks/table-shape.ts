import { checkConstructId } from "../../terraform/construct-id";
import { either, fields, flag, list, name, optional, record, type Shape, text } from "../../terraform/shape";
import type { AccessRow, CertificateRow, DistributionTable } from "../table";

// The frame of a table: what everything in the library reads of it. What its rows say is looked at by `checkTable`.

const FILES = list(fields({ path: name("/etc/kubernetes/pki/ca.crt"), on: list(name("control-plane")) }, "any"));

const CONFIGURATION = list(
  fields({ path: name("/etc/x.yaml"), text: name("x: y"), on: list(name("control-plane")) }, "any"),
);

const ROW = { purpose: name("certificate for serving the Kubernetes API"), files: FILES };

const AUTHORITY = fields({ ...ROW, commonName: name("kubernetes") }, "any");

const CERTIFICATE = fields(
  {
    ...ROW,
    authority: name("kubernetes"),
    commonName: text('"kube-apiserver"'),
    holders: list(name("control-plane")),
    issuedBy: name("terraform"),
    sans: optional(list(name("{addresses}"))),
  } satisfies Partial<Record<keyof CertificateRow, unknown>>,
  "any",
);

const TOKEN = fields({ usages: list(name("usage-bootstrap-authentication")), file: fields({}, "any") }, "any");

const OF_GROUP = fields({ group: name("system:nodes") });
const OF_SERVICE_ACCOUNT = fields({ serviceAccount: name("kube-proxy"), namespace: name("kube-system") });
const KUBE_PROXY = either("{ group } or { serviceAccount, namespace }", '{ group: "system:nodes" }', (value) =>
  typeof value !== "object" || value === null ? undefined : "group" in value ? OF_GROUP : OF_SERVICE_ACCOUNT,
);

const ACCESS = fields(
  { tokens: record("worker", TOKEN, checkConstructId), kubeProxy: optional(KUBE_PROXY) } satisfies Partial<
    Record<keyof AccessRow, unknown>
  >,
  "any",
);

/** A table of a distribution, where one is expected. */
export const TABLE: Shape = fields({
  name: name("my-distribution"),
  version: name("1.0"),
  requires: fields({ controlPlanes: flag, addresses: flag, etcd: optional(list(name("stacked"))) }, "any"),
  sharedRoot: optional(name("they are below one company root")),
  withoutAuthorityKeys: optional(name("it signs no certificates of kubelets")),
  apiServerAuthority: name("kubernetes"),
  authorities: record("kubernetes", AUTHORITY, checkConstructId),
  keyPairs: record("service-account", fields(ROW, "any"), checkConstructId),
  certificates: record("apiserver", CERTIFICATE, checkConstructId),
  configuration: CONFIGURATION,
  joinPasswords: optional(
    record("server", fields({ files: FILES, configuration: optional(CONFIGURATION) }, "any"), checkConstructId),
  ),
  access: ACCESS,
} satisfies Record<keyof DistributionTable, unknown>);
