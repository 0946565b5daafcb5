import { at, text } from "./json";

/** What a resource is to a PKI. */
export type Role =
  /** A private key. */
  | "key"
  /** The names that a certificate will have, and its public key. */
  | "request"
  /** A certificate that an authority signs. */
  | "certificate"
  /** A certificate that is signed with its own key: its names and usages stand in the resource itself. */
  | "self-signed certificate"
  /** An authority or a key pair from outside, or a certificate that is signed there, kept as data. */
  | "adopted"
  /** The secret part of a token or of a join password. */
  | "password"
  /** The public part of a token. */
  | "token id"
  /** The time after which a token is another one. */
  | "rotation"
  /** A Secret. */
  | "secret"
  /** A role binding. */
  | "binding"
  /** What a binding gives: a role and its rules. */
  | "role";

/** What is known of one resource type. Paths have dots for what is nested: `output.certificate_pem`. */
export interface ResourceType {
  readonly role: Role;
  /**
   * All that may ever be shown of its values, and the form that each must have: what is not in here, or has another form, is not shown.
   * PEM has no such form. The masks of Terraform come on top. A path with a dot is that of a field in a block.
   * @default - nothing
   */
  readonly shown?: Readonly<Record<string, RegExp>>;
  /**
   * Entries of `data` that are public by nature, whatever Terraform marks, and the form that each must have.
   * @default - none
   */
  readonly publicData?: Readonly<Record<string, RegExp>>;
  /**
   * Where a certificate in PEM stands; the first that has text counts.
   * @default - it holds none
   */
  readonly certificate?: readonly string[];
  /**
   * Where a private key in PEM stands, likewise.
   * @default - it holds none
   */
  readonly privateKey?: readonly string[];
  /**
   * Where a public key in PEM stands, likewise.
   * @default - it holds none
   */
  readonly publicKey?: readonly string[];
  /**
   * Where a certificate says what it is made of: the request, the authority's certificate, and its uses.
   * @default - it is none, or stands for itself
   */
  readonly madeOf?: Readonly<Record<"request" | "issuer" | "uses", string>>;
  /**
   * The attribute that holds what is given to another one, and that other one.
   * @default - none does
   */
  readonly passedOn?: { readonly as: string; readonly from: string };
}

const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,253}$/u;
/** X.520 ends a name at 64 characters. */
const SUBJECT = /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u;
const NUMBER = /^\d{1,12}$/;
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]{8,24}(Z|[+-]\d\d:\d\d)$/;

const NAMES = {
  "subject.common_name": SUBJECT,
  "subject.organization": SUBJECT,
  "subject.organizational_unit": SUBJECT,
  "subject.country": SUBJECT,
  "subject.province": SUBJECT,
  "subject.locality": SUBJECT,
  dns_names: /^[\w.*-]{1,253}$/,
  ip_addresses: /^[0-9a-fA-F:.]{2,45}$/,
  uris: /^[a-z][a-z0-9+.-]*:[\w/.:~%-]{1,253}$/i,
};
const VALIDITY = {
  allowed_uses: /^[a-z_]{1,40}$/,
  validity_period_hours: NUMBER,
  early_renewal_hours: NUMBER,
  is_ca_certificate: /^(true|false)$/,
  validity_start_time: TIME,
  validity_end_time: TIME,
};
const OBJECT = { "metadata.name": NAME, "metadata.namespace": NAME };
/** `BootstrapGroupPattern` of k8s.io/cluster-bootstrap, one or several. */
const BOOTSTRAP_GROUPS =
  /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9](,system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9])*$/;
const SECRET: ResourceType = {
  role: "secret",
  shown: { ...OBJECT, type: NAME },
  // Of a bootstrap token: who it is, until when, and for what. Never its id and secret.
  publicData: { "auth-extra-groups": BOOTSTRAP_GROUPS, expiration: TIME },
};
const BINDING: ResourceType = {
  role: "binding",
  shown: {
    ...OBJECT,
    "role_ref.kind": NAME,
    "role_ref.name": NAME,
    "subject.kind": NAME,
    "subject.name": NAME,
    "subject.namespace": NAME,
  },
};
const ROLE: ResourceType = {
  role: "role",
  shown: {
    ...OBJECT,
    "rule.verbs": /^[\w*-]{1,63}$/,
    "rule.api_groups": /^[\w.*-]{1,253}$/,
    "rule.resources": /^[\w.*/-]{1,253}$/,
    "rule.resource_names": NAME,
    "rule.non_resource_urls": /^[\w/.*~%:-]{1,253}$/,
  },
};

/** Every resource type that is read: a row each, and nothing else here or in the verbs names a type. */
export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  tls_private_key: {
    role: "key",
    shown: { algorithm: /^[A-Z0-9-]{1,20}$/, rsa_bits: NUMBER, ecdsa_curve: /^P\d{3}$/ },
    privateKey: ["private_key_pem"],
  },
  tls_cert_request: { role: "request", shown: NAMES, privateKey: ["private_key_pem"] },
  tls_locally_signed_cert: {
    role: "certificate",
    shown: VALIDITY,
    certificate: ["cert_pem"],
    madeOf: { request: "cert_request_pem", issuer: "ca_cert_pem", uses: "allowed_uses" },
  },
  tls_self_signed_cert: {
    role: "self-signed certificate",
    shown: { ...NAMES, ...VALIDITY },
    certificate: ["cert_pem"],
    privateKey: ["private_key_pem"],
  },
  terraform_data: {
    role: "adopted",
    // Of a certificate that is signed elsewhere.
    shown: { "input.allowed_uses": VALIDITY.allowed_uses },
    madeOf: { request: "input.cert_request_pem", issuer: "input.ca_cert_pem", uses: "input.allowed_uses" },
    // Its output is known after the apply, and is what the input is now.
    certificate: ["output.certificate_pem", "input.certificate_pem"],
    privateKey: ["output.private_key_pem", "input.private_key_pem"],
    publicKey: ["input.public_key_pem"],
    passedOn: { as: "output", from: "input" },
  },
  random_password: { role: "password" },
  random_string: { role: "token id" },
  random_id: { role: "token id" },
  time_rotating: {
    role: "rotation",
    shown: { rotation_minutes: NUMBER, rotation_hours: NUMBER, rotation_days: NUMBER },
  },
  kubernetes_secret: SECRET,
  kubernetes_secret_v1: SECRET,
  kubernetes_cluster_role_binding: BINDING,
  kubernetes_cluster_role_binding_v1: BINDING,
  kubernetes_role_binding: BINDING,
  kubernetes_role_binding_v1: BINDING,
  kubernetes_cluster_role: ROLE,
  kubernetes_cluster_role_v1: ROLE,
  kubernetes_role: ROLE,
  kubernetes_role_v1: ROLE,
};

/** A resource type that holds any object of Kubernetes as it stands in a manifest, and the kinds of it that are read. */
export const MANIFEST = {
  type: "kubernetes_manifest",
  kinds: new Map<unknown, ResourceType>([
    ["ClusterRoleBinding", BINDING],
    ["RoleBinding", BINDING],
    ["ClusterRole", ROLE],
    ["Role", ROLE],
  ]),
};

const ROWS: ReadonlyMap<string, ResourceType> = new Map(Object.entries(RESOURCE_TYPES));

/** The row of a type; undefined for one that is no part of a PKI. */
export function resourceType(type: string | undefined): ResourceType | undefined {
  return type === undefined ? undefined : ROWS.get(type);
}

/** The kinds of PEM that a resource may hold. */
export type PemKind = "certificate" | "privateKey" | "publicKey";

/** The PEM text among the attributes of a resource; undefined where there is none, or none yet. */
export function pemAt(row: ResourceType | undefined, values: unknown, kind: PemKind): string | undefined {
  for (const path of row?.[kind] ?? []) {
    const found = text(at(values, path));
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}
