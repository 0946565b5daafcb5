/** Resources of one certificate: key, request, certificate. */
const PARTS = 3;
/** Certificates that one authority signs; with the authority's own two resources that is about a cluster. */
const LEAVES = 14;

/**
 * A plan as `terraform show -json` prints one, of so many resources that are made: authorities, and certificates that they sign.
 * Four in five are made as they stand in the code; every fifth certificate is renewed.
 */
export function planFile(changes: number): string {
  const resources: object[] = [];
  const configured: object[] = [];
  for (let cluster = 1; resources.length < changes; cluster++) {
    for (const { planned, code } of authority(cluster)) {
      resources.push(planned);
      configured.push(code);
    }
    for (let leaf = 1; leaf <= LEAVES && resources.length <= changes - PARTS; leaf++) {
      for (const { planned, code } of certificate(cluster, leaf)) {
        resources.push(planned);
        configured.push(code);
      }
    }
  }
  return JSON.stringify({
    format_version: "1.2",
    terraform_version: "1.11.4",
    resource_changes: resources.slice(0, changes),
    configuration: { root_module: { resources: configured } },
    timestamp: "2026-01-01T00:00:00Z",
    errored: false,
    applyable: true,
    complete: true,
  });
}

interface Entry {
  readonly planned: object;
  readonly code: object;
}

function authority(cluster: number): Entry[] {
  const name = `c${cluster}__ca__kubernetes__g1`;
  return [
    created("tls_private_key", name, KEY, { private_key_pem: true, public_key_pem: true }),
    created(
      "tls_self_signed_cert",
      name,
      {
        allowed_uses: ["digital_signature", "cert_signing", "crl_signing"],
        early_renewal_hours: 0,
        is_ca_certificate: true,
        ready_for_renewal: false,
        subject: [subject("kubernetes")],
        validity_period_hours: 87600,
      },
      { cert_pem: true, private_key_pem: true, validity_end_time: true },
      { private_key_pem: `tls_private_key.${name}.private_key_pem` },
    ),
  ];
}

function certificate(cluster: number, leaf: number): Entry[] {
  const name = `c${cluster}__cp-1__leaf-${leaf}`;
  const ca = `c${cluster}__ca__kubernetes__g1`;
  const host = `leaf-${leaf}.c${cluster}.example.com`;
  const values = {
    allowed_uses: ["digital_signature", "server_auth", "client_auth"],
    early_renewal_hours: 720,
    is_ca_certificate: false,
    ready_for_renewal: false,
    validity_period_hours: 8760,
  };
  const links = {
    ca_cert_pem: `tls_self_signed_cert.${ca}.cert_pem`,
    ca_private_key_pem: `tls_private_key.${ca}.private_key_pem`,
    cert_request_pem: `tls_cert_request.${name}.cert_request_pem`,
  };
  const unknown = { cert_pem: true, validity_end_time: true };
  return [
    created("tls_private_key", name, KEY, { private_key_pem: true, public_key_pem: true }),
    created(
      "tls_cert_request",
      name,
      { dns_names: ["kubernetes", "kubernetes.default", host], ip_addresses: ["10.0.0.11"], subject: [subject(host)] },
      { cert_request_pem: true, private_key_pem: true },
      { private_key_pem: `tls_private_key.${name}.private_key_pem` },
    ),
    leaf % 5 === 0
      ? renewed(name, values, unknown, links)
      : created("tls_locally_signed_cert", name, values, unknown, links),
  ];
}

const KEY = { algorithm: "ECDSA", ecdsa_curve: "P256", rsa_bits: 2048 };

/** With the fields that the provider always has. */
function subject(commonName: string): object {
  const nothing = ["country", "email_address", "locality", "organization", "organizational_unit", "postal_code"];
  return { common_name: commonName, ...Object.fromEntries(nothing.map((field) => [field, null])) };
}

type Links = Readonly<Record<string, string>>;

function created(type: string, name: string, after: object, unknown: object, links: Links = {}): Entry {
  return entry(type, name, links, { actions: ["create"], before: null, after, after_unknown: unknown });
}

/** What a certificate has before is about as long as a PEM of P-256 makes it. */
function renewed(name: string, values: object, unknown: object, links: Links): Entry {
  const pem = { cert_pem: "A".repeat(800), validity_end_time: "2026-01-20T00:00:00Z" };
  const replaced = { actions: ["create", "delete"], replace_paths: [["ready_for_renewal"]] };
  const change = { ...replaced, before: { ...values, ...pem }, after: values, after_unknown: unknown };
  return entry("tls_locally_signed_cert", name, links, change);
}

function entry(type: string, name: string, links: Links, change: object): Entry {
  const common = { address: `${type}.${name}`, mode: "managed", type, name };
  const references = (link: string) => ({ references: [link, link.split(".").slice(0, 2).join(".")] });
  return {
    planned: {
      ...common,
      provider_name: "registry.terraform.io/hashicorp/tls",
      change: { ...change, before_sensitive: false, after_sensitive: { private_key_pem: true } },
    },
    code: {
      ...common,
      expressions: Object.fromEntries(Object.entries(links).map(([attribute, link]) => [attribute, references(link)])),
    },
  };
}
