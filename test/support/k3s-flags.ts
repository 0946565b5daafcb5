/**
 * Flags that RKE2 takes over from K3s by name, so that both have them. Those that one of them alone has are left out.
 *
 * @see https://github.com/rancher/rke2/blob/v1.36.3%2Brke2r1/pkg/cli/cmds/server.go
 */
export const SERVER_FLAGS = `
  config debug bind-address advertise-address tls-san tls-san-security data-dir cluster-cidr service-cidr
  cluster-reset cluster-reset-restore-path cluster-dns cluster-domain token token-file write-kubeconfig
  write-kubeconfig-mode write-kubeconfig-group kube-apiserver-arg etcd-arg kube-scheduler-arg
  kube-controller-manager-arg kube-cloud-controller-manager-arg datastore-endpoint datastore-cafile
  datastore-certfile datastore-keyfile disable disable-scheduler disable-cloud-controller disable-kube-proxy
  disable-apiserver disable-controller-manager disable-etcd etcd-disable-snapshots etcd-snapshot-schedule-cron
  etcd-snapshot-reconcile-interval etcd-snapshot-retention etcd-snapshot-dir etcd-snapshot-name
  etcd-snapshot-compress node-name with-node-id node-label node-taint image-credential-provider-bin-dir
  image-credential-provider-config container-runtime-endpoint disable-default-registry-endpoint nonroot-devices
  embedded-registry supervisor-metrics default-runtime private-registry system-default-registry node-ip
  node-external-ip node-internal-dns node-external-dns resolv-conf egress-selector-mode kubelet-arg
  kube-proxy-arg agent-token agent-token-file server secrets-encryption-provider protect-kernel-defaults
  snapshotter selinux lb-server-port service-node-port-range etcd-expose-metrics airgap-extra-registry etcd-s3
  etcd-s3-access-key etcd-s3-bucket etcd-s3-bucket-lookup-type etcd-s3-config-secret etcd-s3-endpoint
  etcd-s3-endpoint-ca etcd-s3-folder etcd-s3-insecure etcd-s3-proxy etcd-s3-region etcd-s3-secret-key
  etcd-s3-session-token etcd-s3-skip-ssl-verify etcd-s3-timeout etcd-s3-retention helm-job-image
  helm-controller-arg enable-pprof servicelb-namespace
`
  .trim()
  .split(/\s+/);

/** @see https://github.com/rancher/rke2/blob/v1.36.3%2Brke2r1/pkg/cli/cmds/agent.go */
export const AGENT_FLAGS = `
  config debug data-dir token token-file node-name with-node-id node-label node-taint
  image-credential-provider-bin-dir image-credential-provider-config container-runtime-endpoint
  disable-default-registry-endpoint nonroot-devices default-runtime private-registry node-ip node-external-ip
  node-internal-dns node-external-dns resolv-conf kubelet-arg kube-proxy-arg server protect-kernel-defaults
  snapshotter selinux lb-server-port airgap-extra-registry bind-address enable-pprof
`
  .trim()
  .split(/\s+/);
