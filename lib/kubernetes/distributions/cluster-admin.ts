import { kubectl } from "../components";
import type { CertificateRow, ConfigurationRow, Consumer } from "../table";
import { CONTROL_PLANE, kubeconfig, OPERATOR } from "./rows";
import { KeyUsage } from "../../x509/key-usage";

/** The one name of the group and of its binding. */
const CLUSTER_ADMINS = "cluster-admins";

/**
 * The operator's own way in, where a distribution issues the certificates of its administrators itself: they are on its servers alone, in
 * `system:masters`, whom nobody can unbind.
 */
export function clusterAdmin(authority: string): CertificateRow {
  return {
    purpose: "certificate for the operator to connect to the API server",
    authority,
    commonName: "cluster-admin",
    organization: CLUSTER_ADMINS,
    usage: KeyUsage.CLIENT,
    holders: OPERATOR,
    issuedBy: "terraform",
    files: [kubeconfig("/cluster-admin.conf", "endpoint", OPERATOR, [kubectl.kubeconfig])],
  };
}

/** A manifest that the distribution applies by itself, since somebody has to bind the group before it can do anything. */
export function bindsClusterAdmins(path: string, applies: Consumer): ConfigurationRow {
  return {
    purpose: `manifest that binds the group ${CLUSTER_ADMINS} to cluster-admin`,
    path,
    on: CONTROL_PLANE,
    text: `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: ${CLUSTER_ADMINS}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: ${CLUSTER_ADMINS}
`,
    consumers: [applies],
  };
}
