import { DataResource } from "cdktf";
import { DataKubernetesConfigMapV1 } from "@cdktf/provider-kubernetes/lib/data-kubernetes-config-map-v1";
import { Construct } from "constructs";
import { condition } from "../terraform/condition";
import { pin } from "../terraform/pin";
import { publishedAuthorityName } from "../terraform/names";
import type { Reference } from "../terraform/reference";
import { KubernetesObjectProps, metaArguments } from "./kubernetes-object";

/** The ConfigMap that has it. */
export const PUBLISHED_AUTHORITY = { name: "kube-root-ca.crt", namespace: "kube-system" };
const KEY = "ca.crt";

/** Props of a {@link PublishedAuthority}. */
export interface PublishedAuthorityProps extends Pick<KubernetesObjectProps, "provider" | "dependsOn"> {
  /** First part of the names of its resources. */
  readonly addressPrefix: string;
}

/**
 * The authorities that a cluster itself names as those of its API server: kube-controller-manager publishes its `--root-ca-file`, byte for
 * byte, to the pods of every namespace. That is the bundle that was delivered, and it is public: nobody has to read the state of a PKI for it.
 *
 * It is kept in the state, so that a plan shows when it is another one.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/controller/certificates/rootcacertpublisher/publisher.go
 */
export class PublishedAuthority extends Construct {
  /** Where the bundle is in the state. */
  public readonly bundle: Reference;

  public constructor(scope: Construct, id: string, props: PublishedAuthorityProps) {
    super(scope, id);
    const name = publishedAuthorityName(props.addressPrefix);
    const data = new DataKubernetesConfigMapV1(this, "Data", {
      metadata: { ...PUBLISHED_AUTHORITY },
      ...metaArguments(props),
    });
    const pem = `try(${pin(data, name)}.data["${KEY}"], "")`;
    const has = (text: string) => `strcontains(${pem}, "${text}")`;
    const published = condition(`${has("-----BEGIN CERTIFICATE-----")} && !${has("PRIVATE KEY-----")}`, {
      code: "published-authority",
      at: `ConfigMap ${PUBLISHED_AUTHORITY.name} of ${PUBLISHED_AUTHORITY.namespace}`,
      allowed: `PEM certificates under ${KEY}, and no private key`,
      fix: "wait until kube-controller-manager has published its --root-ca-file, or give certificateAuthority",
    });
    const kept = new DataResource(this, "Resource", {
      input: { bundle: `\${${pem}}` },
      lifecycle: { precondition: [published] },
    });
    this.bundle = { address: pin(kept, name), attribute: "output.bundle" };
  }
}
