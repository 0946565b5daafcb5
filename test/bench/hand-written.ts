import { CertRequest } from "@cdktf/provider-tls/lib/cert-request";
import { LocallySignedCert } from "@cdktf/provider-tls/lib/locally-signed-cert";
import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { LocalBackend, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { Cluster } from "../../lib";

interface Authority {
  readonly key: PrivateKey;
  readonly certificate: SelfSignedCert;
}

interface Leaf {
  readonly authority: Authority;
  readonly commonName: string;
  readonly organization?: string;
  readonly uses?: readonly string[];
  readonly dnsNames?: string[];
  readonly ipAddresses?: string[];
}

const CLIENT = ["client_auth"];
const SERVER = ["server_auth"];
const PEER = ["server_auth", "client_auth"];

/**
 * What somebody who knows kubeadm and cdktf writes without this library: the resources of `ClusterPkiStack`, one by one, joined by
 * their attributes. It checks nothing, has no `check` blocks and no outputs: nothing that those two cost is on this side.
 */
export class HandWrittenStack extends TerraformStack {
  public constructor(scope: Construct, id: string, cluster: Cluster) {
    super(scope, id);
    new LocalBackend(this, { path: "terraform.tfstate" });
    new TlsProvider(this, "tls");

    const kubernetes = this.authority("kubernetes-ca", "kubernetes");
    const frontProxy = this.authority("front-proxy-ca", "front-proxy-ca");
    const etcd = this.authority("etcd-ca", "etcd-ca");
    new PrivateKey(this, "service-account", { algorithm: "RSA", rsaBits: 2048, lifecycle: { preventDestroy: true } });

    const endpoint = (cluster.endpoint as string).split(":")[0];
    const admin = {
      authority: kubernetes,
      commonName: "kubernetes-admin",
      organization: "kubeadm:cluster-admins",
    };
    for (const { name, addresses } of cluster.controlPlanes ?? []) {
      const etcdNames = {
        dnsNames: [name, "localhost"],
        ipAddresses: [...(addresses ?? []), "127.0.0.1", "::1"],
      };
      this.leaf(`${name}-apiserver`, {
        authority: kubernetes,
        commonName: "kube-apiserver",
        uses: SERVER,
        dnsNames: [
          endpoint,
          name,
          "kubernetes",
          "kubernetes.default",
          "kubernetes.default.svc",
          "kubernetes.default.svc.cluster.local",
        ],
        ipAddresses: [...(addresses ?? []), "10.96.0.1"],
      });
      this.leaf(`${name}-apiserver-kubelet-client`, {
        authority: kubernetes,
        commonName: "kube-apiserver-kubelet-client",
        organization: "kubeadm:cluster-admins",
      });
      this.leaf(`${name}-front-proxy-client`, { authority: frontProxy, commonName: "front-proxy-client" });
      this.leaf(`${name}-etcd-server`, { authority: etcd, commonName: name, uses: PEER, ...etcdNames });
      this.leaf(`${name}-etcd-peer`, { authority: etcd, commonName: name, uses: PEER, ...etcdNames });
      this.leaf(`${name}-etcd-healthcheck-client`, { authority: etcd, commonName: "kube-etcd-healthcheck-client" });
      this.leaf(`${name}-apiserver-etcd-client`, { authority: etcd, commonName: "kube-apiserver-etcd-client" });
      this.leaf(`${name}-admin`, admin);
      this.leaf(`${name}-controller-manager`, { authority: kubernetes, commonName: "system:kube-controller-manager" });
      this.leaf(`${name}-scheduler`, { authority: kubernetes, commonName: "system:kube-scheduler" });
      this.leaf(`${name}-kubelet`, {
        authority: kubernetes,
        commonName: `system:node:${name}`,
        organization: "system:nodes",
      });
    }
    for (const { name } of cluster.workers ?? []) {
      this.leaf(`${name}-kubelet`, {
        authority: kubernetes,
        commonName: `system:node:${name}`,
        organization: "system:nodes",
      });
    }
    this.leaf("operator-admin", admin);
    this.leaf("operator-super-admin", {
      authority: kubernetes,
      commonName: "kubernetes-super-admin",
      organization: "system:masters",
    });
  }

  private authority(id: string, commonName: string): Authority {
    const lifecycle = { preventDestroy: true };
    const key = new PrivateKey(this, `${id}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256", lifecycle });
    const certificate = new SelfSignedCert(this, id, {
      privateKeyPem: key.privateKeyPem,
      isCaCertificate: true,
      subject: [{ commonName }],
      dnsNames: [commonName],
      allowedUses: ["digital_signature", "cert_signing", "crl_signing"],
      validityPeriodHours: 87600,
      setSubjectKeyId: true,
      lifecycle,
    });
    return { key, certificate };
  }

  private leaf(id: string, { authority, commonName, organization, uses = CLIENT, dnsNames, ipAddresses }: Leaf): void {
    const key = new PrivateKey(this, `${id}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" });
    const request = new CertRequest(this, `${id}-request`, {
      privateKeyPem: key.privateKeyPem,
      subject: [{ commonName, organization }],
      dnsNames,
      ipAddresses,
      lifecycle: { createBeforeDestroy: true },
    });
    new LocallySignedCert(this, id, {
      certRequestPem: request.certRequestPem,
      caCertPem: authority.certificate.certPem,
      caPrivateKeyPem: authority.key.privateKeyPem,
      allowedUses: ["digital_signature", ...uses],
      validityPeriodHours: 8760,
      earlyRenewalHours: 720,
      setSubjectKeyId: true,
      lifecycle: { createBeforeDestroy: true },
    });
  }
}
