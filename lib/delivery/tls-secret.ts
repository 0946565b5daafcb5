import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1";
import { Construct } from "constructs";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, instanceOf, name as nameShape, optional } from "../terraform/shape";
import {
  checkNamespace,
  type KubernetesObjectProps,
  metaArguments,
  metadata,
  OBJECT_FIELDS,
} from "../access/kubernetes-object";
import { Problems } from "../errors";
import { concat, type Content } from "../kubernetes/content";
import { toTerraform } from "../kubernetes/content-readers";
import { referencesElsewhere } from "../kubernetes/own-state";
import { inventoried } from "../terraform/inventoried";
import { pin } from "../terraform/pin";
import { Certificate } from "../x509/certificate";
import { TrustBundle } from "../x509/trust-bundle";
import { checkSecretName } from "./secret-checks";
import { secretFiles } from "./secret-files";

/** Props of a {@link TlsSecret}. */
export interface TlsSecretProps extends KubernetesObjectProps {
  /** Name of the Secret. */
  readonly name: string;
  /** Its namespace, which exists. */
  readonly namespace: string;
  /** The certificate in it, of the same stack: no private key goes through an output. */
  readonly certificate: Certificate;
  /**
   * What is in `ca.crt`, for readers that verify the other end with it: `pki.bundle("etcd")`.
   * @default - there is no `ca.crt`
   */
  readonly certificateAuthority?: TrustBundle;
  /**
   * Terraform name of the Secret.
   * @default - the construct's id
   */
  readonly address?: string;
}

const PROPS = fields({
  ...OBJECT_FIELDS,
  name: nameShape("ingress"),
  namespace: nameShape("default"),
  certificate: instanceOf(Certificate, "a Certificate of the stack"),
  certificateAuthority: optional(instanceOf(TrustBundle, "pki.bundle()")),
  address: optional(nameShape("ingress")),
} satisfies Fields<TlsSecretProps>);

/**
 * A Secret of type `kubernetes.io/tls` with one certificate, for what runs inside a cluster: an ingress, a webhook, an aggregated API.
 *
 * `tls.crt` holds the certificate and those above it, `tls.key` its key. What reads it sees the next one when the Secret is applied.
 *
 * In the Terraform state: the certificate's key, in clear, once more.
 *
 * @throws PkiError when a field is missing, unknown or of another type, a name is not valid, or the certificate is in another stack
 * @see https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
 */
export class TlsSecret extends Construct {
  /** Name of the Secret. */
  public readonly name: string;
  /** Its namespace. */
  public readonly namespace: string;
  /** The content under each key, as data. */
  public readonly data: Readonly<Record<string, Content>>;
  /** The L1 of the Secret. */
  public readonly resource: SecretV1;

  public constructor(scope: Construct, id: string, props: TlsSecretProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { name, namespace, certificate, certificateAuthority } = props;
    const problems = new Problems();
    checkSecretName(name, problems);
    checkNamespace(namespace, problems);
    problems.throwIfAny(this.node.path);

    this.name = name;
    this.namespace = namespace;
    this.data = {
      ...(certificateAuthority ? { "ca.crt": concat(certificateAuthority.references) } : {}),
      "tls.crt": concat([certificate.certificate, ...certificate.chain]),
      "tls.key": certificate.privateKey,
    };
    this.resource = new SecretV1(this, "Resource", {
      metadata: { name, namespace, ...metadata(props) },
      type: "kubernetes.io/tls",
      data: Object.fromEntries(Object.entries(this.data).map(([key, content]) => [key, toTerraform(content)])),
      ...metaArguments(props),
    });
    pin(this.resource, props.address ?? id);
    inventoried(this, { files: () => secretFiles(namespace, name, this.data) });
    this.node.addValidation({ validate: () => referencesElsewhere(this, Object.values(this.data)) });
  }
}
