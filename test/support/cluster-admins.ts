/** What `kubectl create clusterrolebinding cluster-admins --clusterrole=cluster-admin --group=cluster-admins --dry-run=client -o yaml` says. */
export const CLUSTER_ADMINS = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "cluster-admins" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "cluster-admins" }],
};
