import { HOURS_OF_CONTROLLER_MANAGER } from "../components";
import type {
  CertificateRow,
  DistributionNames,
  DistributionTable,
  EtcdTopology,
  FileKind,
  FileRow,
  HolderKind,
  SecretRow,
} from "../table";
import { kubeadm, KubeadmCertificate, MAX_SERVICE_CIDR_BITS } from "./kubeadm";
import { ETCD_HERE, ETCD_MEMBER, PURPOSES } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

const CLUSTER: readonly HolderKind[] = ["cluster"];

/** "External etcd" in Cluster API's words: machines of its own, whose certificates are issued here. */
const MEMBERS: readonly EtcdTopology[] = ["members"];

/**
 * A Secret as a user supplies it. Its type says whose it is: Cluster API takes those of its own type, `cluster.x-k8s.io/secret`, for its
 * property, deletes them with the cluster, and writes a kubeconfig anew before it expires.
 */
function secret(purpose: string, type: string, data: Readonly<Record<string, FileKind>>): SecretRow {
  return { name: `{clusterName}-${purpose}`, type, labels: { "cluster.x-k8s.io/cluster-name": "{clusterName}" }, data };
}

/** A certificate, or whatever stands in for one, and its private key. */
function keyPair(purpose: string, certificate: FileKind): SecretRow {
  return secret(purpose, "kubernetes.io/tls", { "tls.crt": certificate, "tls.key": "private key" });
}

const { certificates, authorities } = kubeadm();

/** On etcd's own machines everything is as kubeadm has it. */
function asKubeadm(name: KubeadmCertificate): CertificateRow {
  return { ...certificates[name]!, etcd: MEMBERS };
}

/** What etcd itself verifies with, and its key nowhere: Terraform signs. */
const ETCD_CA: readonly FileRow[] = authorities
  .etcd!.files.filter(({ kind }) => kind === "bundle")
  .map((file) => ({
    ...file,
    on: ETCD_MEMBER,
    consumers: file.consumers.filter(({ component }) => component === "etcd"),
  }));

/** Names of Cluster API's authorities. */
export type ClusterApiAuthority = "kubernetes" | "front-proxy" | "etcd";

/** Names of Cluster API's certificates. */
export type ClusterApiCertificate =
  "etcd-server" | "etcd-peer" | "etcd-healthcheck-client" | "apiserver-etcd-client" | "admin";

/** What Cluster API calls its parts. */
export interface ClusterApiNames extends DistributionNames {
  readonly authority: ClusterApiAuthority;
  readonly keyPair: "service-account";
  readonly certificate: ClusterApiCertificate;
  /** None: they are in Secrets. */
  readonly kubeconfig: never;
  /** None: Cluster API makes a token for each machine. */
  readonly joinPassword: never;
}

/**
 * Cluster API with its kubeadm providers: the user's certificates are Secrets in the namespace of the Cluster object, there before it
 * is. What machines hold beside them kubeadm issues on each, at its first start: it is no row here, since nobody knows these machines
 * before they are made.
 *
 * Secrets reach a machine only when it is made. For `front-proxy` and etcd, roll the control planes out after each step of a rotation.
 * The authority `kubernetes` cannot be rotated with an overlap: see its Secret.
 *
 * @see https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/docs/book/src/tasks/certs/using-custom-certificates.md
 * @see https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/docs/book/src/tasks/external-etcd.md
 * @see https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/util/secret/certificates.go
 * @see https://github.com/kubernetes-sigs/cluster-api/blob/v1.14.0/util/kubeconfig/kubeconfig.go
 */
export const clusterApi: DistributionTable<ClusterApiNames> = {
  name: "cluster-api",
  version: "1.14.0",
  requires: { controlPlanes: false, addresses: false, maxServiceCidrBits: MAX_SERVICE_CIDR_BITS },

  apiServerAuthority: "kubernetes",
  // Cluster API calls all three of its own "kubernetes". No two authorities here share a subject: these are kubeadm's names.
  authorities: {
    kubernetes: {
      purpose: PURPOSES.kubernetes,
      commonName: "kubernetes",
      signsNodesFor: HOURS_OF_CONTROLLER_MANAGER,
      files: [],
      // Exactly the active one: it becomes ca.crt, with which kubeadm starts kube-controller-manager as --cluster-signing-cert-file, too,
      // and that exits on a file of two.
      secrets: [keyPair("ca", "signer")],
    },
    "front-proxy": {
      purpose: PURPOSES["front-proxy"],
      commonName: "front-proxy-ca",
      files: [],
      secrets: [keyPair("proxy", "bundle")],
    },
    etcd: {
      purpose: PURPOSES.etcd,
      commonName: "etcd-ca",
      etcd: ETCD_HERE,
      files: ETCD_CA,
      secrets: [
        { ...keyPair("etcd", "bundle"), etcd: ["stacked"] },
        // Without the key, by which Cluster API tells that etcd is not its own; it would write the key to a file without a name.
        { ...secret("etcd", "Opaque", { "tls.crt": "bundle" }), etcd: MEMBERS },
      ],
    },
  },

  keyPairs: {
    "service-account": {
      purpose: PURPOSES["service-account"],
      files: [],
      // No certificate at all: they become sa.pub and sa.key.
      secrets: [keyPair("sa", "public keys")],
    },
  },

  certificates: {
    "etcd-server": asKubeadm("etcd-server"),
    "etcd-peer": asKubeadm("etcd-peer"),
    "etcd-healthcheck-client": asKubeadm("etcd-healthcheck-client"),
    "apiserver-etcd-client": {
      purpose: PURPOSES["apiserver-etcd-client"],
      authority: "etcd",
      etcd: MEMBERS,
      commonName: "kube-apiserver-etcd-client",
      usage: KeyUsage.CLIENT,
      holders: CLUSTER,
      issuedBy: "terraform",
      files: [],
      // clusterctl move leaves this one behind, whose name it does not recognize, unless it has the label clusterctl.cluster.x-k8s.io/move.
      secrets: [keyPair("apiserver-etcd-client", "certificate")],
      exceptions: [
        {
          code: "shared-key",
          reason: "Cluster API gives every control plane the one Secret, and so the one private key",
        },
      ],
    },
    admin: {
      purpose: "certificate for Cluster API's controllers and the admin to connect to the API server",
      authority: "kubernetes",
      commonName: "kubernetes-admin",
      organization: "system:masters",
      usage: KeyUsage.CLIENT,
      holders: CLUSTER,
      issuedBy: "distribution",
      kubeconfigUser: "{clusterName}-admin",
      files: [],
      // Not of Cluster API's type: then it leaves it alone, and the next apply renews it.
      secrets: [secret("kubeconfig", "Opaque", { value: "kubeconfig" })],
      exceptions: [
        {
          code: "system-masters",
          reason: "Cluster API's controllers use it, and there is no binding in a cluster that they are still making",
        },
      ],
    },
  },

  configuration: [],

  // Its kubeadm makes the bindings on the first control plane, and Cluster API a token for each machine.
  access: { tokens: {} },
};
