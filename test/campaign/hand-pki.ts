import { block, hcl, hclList, hiddenIn, known, text, Value } from "./hcl";
import type { Certificate, Key, Thing, World } from "./world";

// PKIs as people write them by hand. What is edited is a small structure, and each style writes it as code in its own way.

/** A private key, as its resource has it. */
export type Algorithm =
  | { readonly algorithm: "RSA"; readonly bits: number }
  | { readonly algorithm: "ECDSA"; readonly curve: string }
  | { readonly algorithm: "ED25519" };

/** Who signs others. */
export interface Authority {
  readonly commonName: string;
  readonly organization?: string;
  readonly hours: number;
  readonly key: Algorithm;
  /** The authority above. */
  readonly issuer?: string;
}

/** A certificate that an authority signs. */
export interface Leaf {
  /** Its name in the code, or its key of `for_each`. */
  readonly label: string;
  readonly commonName: Value;
  readonly organization?: Value;
  readonly dns: readonly Value[];
  readonly ips: readonly string[];
  readonly uses: readonly Value[];
  readonly hours: number;
  readonly early: number;
  readonly isAuthority?: boolean;
  readonly issuer: string;
  /** The code chooses between these two by a condition. */
  readonly otherIssuer?: string;
  readonly key: Algorithm;
  readonly isKept?: boolean;
}

/** All that is edited of one copy. */
export interface Pki {
  /** No two copies have one. */
  readonly tag: string;
  readonly authorities: Readonly<Record<string, Authority>>;
  readonly leaves: Readonly<Record<string, Leaf>>;
  /** A key for SSH: it signs nothing. */
  readonly ssh?: Algorithm;
  /** What stands in a resource that has nothing to do with a PKI. */
  readonly note: string;
  /** More code: blocks `moved` and `removed`, resources of others. */
  readonly more: readonly string[];
  /** Other blanks and remarks between the same code. */
  readonly isFormatted?: boolean;
  /** Addresses in the module that are dropped from the state before the plan, and what they are. */
  readonly lost?: Readonly<Record<string, readonly string[]>>;
  readonly due?: readonly string[];
  readonly forgotten?: readonly string[];
  readonly moved?: readonly string[];
}

/** Addresses of what a leaf is made of, in its module. */
export interface LeafAddresses {
  readonly key: string;
  readonly request: string;
  readonly certificate: string;
}

/** A way to write a PKI. */
export interface Style {
  readonly name: string;
  /** Every copy in a module of its own, or all in the root with the tag before every name. */
  readonly isModule: boolean;
  /** Each leaf has resources of its own: they can be let go of, and have their own `lifecycle`. */
  readonly hasOwnResources: boolean;
  /** Only the last leaf can come and go: all others have a number. */
  readonly isNumbered: boolean;
  /** Nobody can follow what a new certificate is made of. */
  readonly isRequestVague?: boolean;
  /** Nobody can follow who signs. */
  readonly isIssuerVague?: boolean;
  /** All leaves have one issuer. */
  readonly hasOneIssuer?: boolean;
  /** All leaves have one key. */
  readonly sharesKey?: boolean;
  readonly leafOf: (pki: Pki, leaf: Leaf, index: number) => LeafAddresses;
  /** The leaves as code. */
  readonly leaves: (pki: Pki) => string;
  /** Modules below. */
  readonly children?: Readonly<Record<string, string>>;
}

const P256: Algorithm = { algorithm: "ECDSA", curve: "P256" };

/** A PKI to begin with. */
export function firstPki(tag: string, { sharesKey }: Style): Pki {
  const common = { ips: [], early: 720, key: P256, issuer: "ca" };
  const leaves: Leaf[] = [
    {
      ...common,
      label: "server",
      commonName: `${tag}-server`,
      dns: [`api.${tag}.example.com`],
      ips: ["10.0.0.10"],
      uses: ["digital_signature", "server_auth"],
      hours: 4380,
    },
    {
      ...common,
      label: "client",
      commonName: `${tag}-client`,
      organization: `${tag}-team`,
      dns: [],
      uses: ["digital_signature", "client_auth"],
      hours: 4380,
    },
    {
      ...common,
      label: "peer",
      commonName: `${tag}-peer`,
      dns: [`peer.${tag}.example.com`],
      uses: ["digital_signature", "server_auth", "client_auth"],
      hours: 2000,
    },
  ];
  return {
    tag,
    authorities: {
      ca: { commonName: `${tag} ca`, hours: 87_600, key: P256 },
      front: { commonName: `${tag} front`, hours: 87_600, key: P256 },
    },
    leaves: Object.fromEntries((sharesKey ? leaves.slice(0, 2) : leaves).map((leaf) => [leaf.label, leaf])),
    ssh: { algorithm: "ED25519" },
    note: "a",
    more: [],
  };
}

// Code ----------------------------------------------------------------------------------------------------------------

/** The name of a resource: in the root, the tag stands before it. */
export function own({ tag }: Pki, style: Pick<Style, "isModule">, name: string): string {
  return style.isModule ? name : `${tag}_${name}`;
}

function keyCode(name: string, key: Algorithm | "each", more: Readonly<Record<string, string>> = {}): string {
  const parts =
    key === "each"
      ? {
          algorithm: "local.leaves[each.key].algorithm",
          rsa_bits: "local.leaves[each.key].bits",
          ecdsa_curve: "local.leaves[each.key].curve",
        }
      : {
          algorithm: text(key.algorithm),
          rsa_bits: key.algorithm === "RSA" ? String(key.bits) : undefined,
          ecdsa_curve: key.algorithm === "ECDSA" ? text(key.curve) : undefined,
        };
  return block(`resource "tls_private_key" "${name}"`, { ...more, ...parts });
}

/** Attributes of leaves: as literals of one, or as what a table has. */
type Attribute = (name: keyof typeof ATTRIBUTES) => string | undefined;

const ATTRIBUTES = {
  cn: (leaf: Leaf) => hcl(leaf.commonName),
  o: (leaf: Leaf) => (leaf.organization === undefined ? "null" : hcl(leaf.organization)),
  dns: (leaf: Leaf) => hclList(leaf.dns),
  ips: (leaf: Leaf) => hclList(leaf.ips),
  uses: (leaf: Leaf) => hclList(leaf.uses),
  hours: (leaf: Leaf) => String(leaf.hours),
  early: (leaf: Leaf) => String(leaf.early),
  is_ca: (leaf: Leaf) => String(leaf.isAuthority ?? false),
  algorithm: (leaf: Leaf) => text(leaf.key.algorithm),
  bits: (leaf: Leaf) => (leaf.key.algorithm === "RSA" ? String(leaf.key.bits) : "null"),
  curve: (leaf: Leaf) => (leaf.key.algorithm === "ECDSA" ? text(leaf.key.curve) : "null"),
};

const literal =
  (leaf: Leaf): Attribute =>
  (name) =>
    ATTRIBUTES[name](leaf);
const fromTable =
  (index: string): Attribute =>
  (name) =>
    `local.leaves[${index}].${name}`;

function requestCode(name: string, of: Attribute, key: string, more: Readonly<Record<string, string>> = {}): string {
  return block(
    `resource "tls_cert_request" "${name}"`,
    { ...more, private_key_pem: key, dns_names: of("dns"), ip_addresses: of("ips") },
    `  subject {\n    common_name = ${of("cn")}\n    organization = ${of("o")}\n  }`,
  );
}

interface Signing {
  readonly request: string;
  readonly certificate: string;
  readonly key: string;
  readonly isKept?: boolean;
}

function certificateCode(
  name: string,
  of: Attribute,
  by: Signing,
  more: Readonly<Record<string, string>> = {},
): string {
  return block(
    `resource "tls_locally_signed_cert" "${name}"`,
    {
      ...more,
      cert_request_pem: by.request,
      ca_cert_pem: by.certificate,
      ca_private_key_pem: by.key,
      allowed_uses: of("uses"),
      validity_period_hours: of("hours"),
      early_renewal_hours: of("early"),
      is_ca_certificate: of("is_ca"),
    },
    by.isKept ? "  lifecycle {\n    ignore_changes = [cert_request_pem]\n  }" : "",
  );
}

function authorityType({ issuer }: Pick<Authority, "issuer">): string {
  return issuer === undefined ? "tls_self_signed_cert" : "tls_locally_signed_cert";
}

function signedBy(pki: Pki, style: Pick<Style, "isModule">, leaf: Pick<Leaf, "issuer" | "otherIssuer">) {
  const of = (name: string) => {
    const address = own(pki, style, name);
    return {
      certificate: `${authorityType(pki.authorities[name]!)}.${address}.cert_pem`,
      key: `tls_private_key.${address}.private_key_pem`,
    };
  };
  const { issuer, otherIssuer } = leaf;
  if (otherIssuer === undefined) {
    return of(issuer);
  }
  // The condition is always true.
  const [one, other] = [of(issuer), of(otherIssuer)];
  const choose = (name: "certificate" | "key") =>
    `${text(pki.tag)} == ${text(pki.tag)} ? ${one[name]} : ${other[name]}`;
  return { certificate: choose("certificate"), key: choose("key") };
}

function authorityCode(pki: Pki, style: Style, name: string): string {
  const { commonName, organization, hours, key, issuer } = pki.authorities[name]!;
  const address = own(pki, style, name);
  const keyPem = `tls_private_key.${address}.private_key_pem`;
  const subject = `  subject {\n    common_name = ${text(commonName)}\n${
    organization === undefined ? "" : `    organization = ${text(organization)}\n`
  }  }`;
  const certificate = {
    allowed_uses: hclList(AUTHORITY_USES),
    validity_period_hours: String(hours),
    is_ca_certificate: "true",
  };
  if (issuer === undefined) {
    const self = { private_key_pem: keyPem, ...certificate };
    return keyCode(address, key) + block(`resource "tls_self_signed_cert" "${address}"`, self, subject);
  }
  const above = signedBy(pki, style, { issuer });
  const signed = {
    cert_request_pem: `tls_cert_request.${address}.cert_request_pem`,
    ca_cert_pem: above.certificate,
    ca_private_key_pem: above.key,
    ...certificate,
  };
  return (
    keyCode(address, key) +
    block(`resource "tls_cert_request" "${address}"`, { private_key_pem: keyPem }, subject) +
    block(`resource "tls_locally_signed_cert" "${address}"`, signed)
  );
}

const AUTHORITY_USES = ["digital_signature", "cert_signing", "crl_signing"];

/** All code of a copy. */
export function codeOf(pki: Pki, style: Style): string {
  const name = (of: string) => own(pki, style, of);
  const parts = [
    ...Object.keys(pki.authorities).map((authority) => authorityCode(pki, style, authority)),
    style.leaves(pki),
    pki.ssh ? keyCode(name("ssh"), pki.ssh) : "",
    block(`resource "terraform_data" "${name("note")}"`, { input: text(pki.note) }),
    ...pki.more,
  ];
  const code = parts.join("\n");
  // LATER names a resource by its name in a module.
  const named = style.isModule ? code : code.replaceAll("terraform_data.later.", `terraform_data.${name("later")}.`);
  const later = code.includes("terraform_data.later.output")
    ? block(`resource "terraform_data" "${name("later")}"`, { input: text("later") })
    : "";
  const all = `${named}\n${later}`;
  return pki.isFormatted ? `# the same as before\n\n${all.replaceAll("\n  ", "\n\n      ")}` : all;
}

/** Leaves as a table in a local value, by their keys or numbers. */
function table(pki: Pki, style: "keys" | "numbers"): string {
  const rows = Object.values(pki.leaves).map((leaf) => {
    const fields = Object.keys(ATTRIBUTES) as (keyof typeof ATTRIBUTES)[];
    const row = `{ ${fields.map((field) => `${field} = ${ATTRIBUTES[field](leaf)}`).join(", ")} }`;
    return style === "keys" ? `    ${text(leaf.label)} = ${row}` : `    ${row},`;
  });
  const [open, close] = style === "keys" ? ["{", "}"] : ["[", "]"];
  return `locals {\n  leaves = ${open}\n${rows.join("\n")}\n  ${close}\n}\n`;
}

function keysOf(pki: Pki): string {
  return `toset(${hclList(Object.values(pki.leaves).map(({ label }) => label))})`;
}

function issuerOfAll(pki: Pki, style: Pick<Style, "isModule">) {
  return signedBy(pki, style, Object.values(pki.leaves)[0]!);
}

// Styles --------------------------------------------------------------------------------------------------------------

const byKey =
  (type: "label" | "number") =>
  (_: Pki, leaf: Leaf, index: number): LeafAddresses => {
    const key = type === "label" ? text(leaf.label) : index;
    return {
      key: `tls_private_key.leaf[${key}]`,
      request: `tls_cert_request.leaf[${key}]`,
      certificate: `tls_locally_signed_cert.leaf[${key}]`,
    };
  };

function singly(isModule: boolean) {
  return (pki: Pki, { label }: Leaf): LeafAddresses => {
    const name = own(pki, { isModule }, label);
    return {
      key: `tls_private_key.${name}`,
      request: `tls_cert_request.${name}`,
      certificate: `tls_locally_signed_cert.${name}`,
    };
  };
}

const plainly = (isModule: boolean) => (pki: Pki) =>
  Object.values(pki.leaves)
    .map((leaf) => {
      const name = own(pki, { isModule }, leaf.label);
      const by = { ...signedBy(pki, { isModule }, leaf), request: `tls_cert_request.${name}.cert_request_pem` };
      return (
        keyCode(name, leaf.key) +
        requestCode(name, literal(leaf), `tls_private_key.${name}.private_key_pem`) +
        certificateCode(name, literal(leaf), { ...by, isKept: leaf.isKept })
      );
    })
    .join("\n");

const MODULE = { isModule: true };
const TABLE = { isModule: true, hasOwnResources: false, hasOneIssuer: true } as const;
const EACH_KEY = { for_each: "", of: fromTable("each.key") };

/** Ways that are seen in public code. */
export const STYLES: readonly Style[] = [
  {
    name: "prefixed",
    isModule: false,
    hasOwnResources: true,
    isNumbered: false,
    leafOf: singly(false),
    leaves: plainly(false),
  },
  {
    name: "named",
    isModule: true,
    hasOwnResources: true,
    isNumbered: false,
    leafOf: singly(true),
    leaves: plainly(true),
  },
  {
    // Requests have numbers, certificates have names.
    name: "index",
    isModule: true,
    hasOwnResources: false,
    isNumbered: true,
    leafOf: (pki, leaf, index) => ({
      ...byKey("number")(pki, leaf, index),
      certificate: `tls_locally_signed_cert.${leaf.label}`,
    }),
    leaves: (pki) =>
      table(pki, "numbers") +
      keyTable("count", `${Object.keys(pki.leaves).length}`, "count.index") +
      requestCode("leaf", fromTable("count.index"), "tls_private_key.leaf[count.index].private_key_pem", {
        count: `${Object.keys(pki.leaves).length}`,
      }) +
      Object.values(pki.leaves)
        .map((leaf, index) =>
          certificateCode(leaf.label, literal(leaf), {
            ...signedBy(pki, MODULE, leaf),
            request: `tls_cert_request.leaf[${index}].cert_request_pem`,
            isKept: leaf.isKept,
          }),
        )
        .join("\n"),
  },
  {
    ...TABLE,
    name: "foreach",
    isNumbered: false,
    leafOf: byKey("label"),
    leaves: (pki) =>
      table(pki, "keys") +
      keyTable("for_each", keysOf(pki), "each.key") +
      requestCode("leaf", EACH_KEY.of, "tls_private_key.leaf[each.key].private_key_pem", { for_each: keysOf(pki) }) +
      certificateCode(
        "leaf",
        EACH_KEY.of,
        { ...issuerOfAll(pki, MODULE), request: "tls_cert_request.leaf[each.key].cert_request_pem" },
        { for_each: keysOf(pki) },
      ),
  },
  {
    ...TABLE,
    name: "count",
    isNumbered: true,
    leafOf: byKey("number"),
    leaves: (pki) => {
      const count = { count: "length(local.leaves)" };
      const of = fromTable("count.index");
      return (
        table(pki, "numbers") +
        keyTable("count", "length(local.leaves)", "count.index") +
        requestCode("leaf", of, "tls_private_key.leaf[count.index].private_key_pem", count) +
        certificateCode(
          "leaf",
          of,
          { ...issuerOfAll(pki, MODULE), request: "tls_cert_request.leaf[count.index].cert_request_pem" },
          count,
        )
      );
    },
  },
  {
    // Each resource is made for each of the one before.
    ...TABLE,
    name: "eachvalue",
    isNumbered: false,
    leafOf: byKey("label"),
    leaves: (pki) =>
      table(pki, "keys") +
      keyTable("for_each", keysOf(pki), "each.key") +
      requestCode("leaf", EACH_KEY.of, "each.value.private_key_pem", { for_each: "tls_private_key.leaf" }) +
      certificateCode(
        "leaf",
        EACH_KEY.of,
        { ...issuerOfAll(pki, MODULE), request: "each.value.cert_request_pem" },
        { for_each: "tls_cert_request.leaf" },
      ),
  },
  {
    // Requests and authorities go through local values.
    ...TABLE,
    name: "local",
    isNumbered: false,
    isRequestVague: true,
    isIssuerVague: true,
    leafOf: byKey("label"),
    leaves: (pki) => {
      const { certificate, key } = issuerOfAll(pki, MODULE);
      return (
        table(pki, "keys") +
        block("locals", {
          requests: "{ for name, request in tls_cert_request.leaf : name => request.cert_request_pem }",
          signer: `{ certificate = ${certificate}, key = ${key} }`,
        }) +
        keyTable("for_each", keysOf(pki), "each.key") +
        requestCode("leaf", EACH_KEY.of, "tls_private_key.leaf[each.key].private_key_pem", { for_each: keysOf(pki) }) +
        certificateCode(
          "leaf",
          EACH_KEY.of,
          { request: "local.requests[each.key]", certificate: "local.signer.certificate", key: "local.signer.key" },
          { for_each: keysOf(pki) },
        )
      );
    },
  },
  {
    // A module makes keys and requests, and its output is signed outside.
    ...TABLE,
    name: "output",
    isNumbered: false,
    isRequestVague: true,
    leafOf: (_, { label }) => ({
      key: `module.leaf[${text(label)}].tls_private_key.this`,
      request: `module.leaf[${text(label)}].tls_cert_request.this`,
      certificate: `tls_locally_signed_cert.leaf[${text(label)}]`,
    }),
    leaves: (pki) =>
      table(pki, "keys") +
      block('module "leaf"', { source: '"./leaf"', for_each: keysOf(pki), leaf: "local.leaves[each.key]" }) +
      certificateCode(
        "leaf",
        EACH_KEY.of,
        { ...issuerOfAll(pki, MODULE), request: "module.leaf[each.key].request" },
        { for_each: keysOf(pki) },
      ),
    children: {
      leaf:
        'variable "leaf" { type = any }\n' +
        block('resource "tls_private_key" "this"', {
          algorithm: "var.leaf.algorithm",
          rsa_bits: "var.leaf.bits",
          ecdsa_curve: "var.leaf.curve",
        }) +
        requestCode("this", (name) => `var.leaf.${name}`, "tls_private_key.this.private_key_pem") +
        block('output "request"', { value: "tls_cert_request.this.cert_request_pem" }),
    },
  },
  {
    // Requests are kept as data.
    name: "data",
    isModule: true,
    hasOwnResources: true,
    isNumbered: false,
    leafOf: singly(true),
    leaves: (pki) =>
      Object.values(pki.leaves)
        .map((leaf) => {
          const name = leaf.label;
          const kept = `request_${name}`;
          return (
            keyCode(name, leaf.key) +
            requestCode(name, literal(leaf), `tls_private_key.${name}.private_key_pem`) +
            block(`resource "terraform_data" "${kept}"`, { input: `tls_cert_request.${name}.cert_request_pem` }) +
            certificateCode(name, literal(leaf), {
              ...signedBy(pki, MODULE, leaf),
              request: `terraform_data.${kept}.output`,
              isKept: leaf.isKept,
            })
          );
        })
        .join("\n"),
  },
  {
    // Keys and requests have numbers, certificates the same numbers as text.
    ...TABLE,
    name: "mixed",
    isNumbered: true,
    leafOf: (_, __, index) => ({
      key: `tls_private_key.leaf[${index}]`,
      request: `tls_cert_request.leaf[${index}]`,
      certificate: `tls_locally_signed_cert.leaf["${index}"]`,
    }),
    leaves: (pki) => {
      const numbers = `toset(${hclList(Object.keys(pki.leaves).map((_, index) => `${index}`))})`;
      return (
        table(pki, "numbers") +
        keyTable("count", "length(local.leaves)", "count.index") +
        requestCode("leaf", fromTable("count.index"), "tls_private_key.leaf[count.index].private_key_pem", {
          count: "length(local.leaves)",
        }) +
        certificateCode(
          "leaf",
          fromTable("tonumber(each.key)"),
          {
            ...issuerOfAll(pki, MODULE),
            request: "tls_cert_request.leaf[tonumber(each.key)].cert_request_pem",
          },
          { for_each: numbers },
        )
      );
    },
  },
  {
    // A server and a client with one key, as where a certificate's key is a service account's as well.
    name: "shared",
    isModule: true,
    hasOwnResources: true,
    isNumbered: false,
    sharesKey: true,
    leafOf: (pki, leaf) => ({ ...singly(true)(pki, leaf), key: "tls_private_key.shared" }),
    leaves: (pki) =>
      keyCode("shared", Object.values(pki.leaves)[0]!.key) +
      Object.values(pki.leaves)
        .map(
          (leaf) =>
            requestCode(leaf.label, literal(leaf), "tls_private_key.shared.private_key_pem") +
            certificateCode(leaf.label, literal(leaf), {
              ...signedBy(pki, MODULE, leaf),
              request: `tls_cert_request.${leaf.label}.cert_request_pem`,
              isKept: leaf.isKept,
            }),
        )
        .join("\n"),
  },
];

function keyTable(meta: "count" | "for_each", value: string, index: string): string {
  return block('resource "tls_private_key" "leaf"', {
    [meta]: value,
    algorithm: `local.leaves[${index}].algorithm`,
    rsa_bits: `local.leaves[${index}].bits`,
    ecdsa_curve: `local.leaves[${index}].curve`,
  });
}

// What it is ----------------------------------------------------------------------------------------------------------

/** The address of something of a copy, from the root. */
export function fromRoot({ tag }: Pick<Pki, "tag">, { isModule }: Pick<Style, "isModule">, address: string): string {
  return isModule ? `module.${tag}.${address}` : address;
}

/** Addresses of an authority in its module: of its key, its request if it has one, its certificate. */
export function authorityAddresses(pki: Pki, style: Style, name: string): string[] {
  const { issuer } = pki.authorities[name]!;
  const address = own(pki, style, name);
  return [
    `${authorityType({ issuer })}.${address}`,
    `tls_private_key.${address}`,
    ...(issuer === undefined ? [] : [`tls_cert_request.${address}`]),
  ];
}

/** What the code of a copy says that there is. */
export function worldOf(pki: Pki, style: Style): World {
  const place = (name: string) => `${pki.tag} ${name}`;
  const rooted = (addresses: readonly string[]) => addresses.map((address) => fromRoot(pki, style, address));
  const things = new Map<string, Thing>();
  for (const [name, authority] of Object.entries(pki.authorities)) {
    const { commonName, organization, hours, key, issuer } = authority;
    things.set(place(name), {
      kind: "certificate",
      addresses: rooted(authorityAddresses(pki, style, name)),
      commonName,
      organization,
      sans: [],
      uses: AUTHORITY_USES,
      hours,
      isAuthority: true,
      key: keyOf(name, key),
      issuer: issuer === undefined ? undefined : place(issuer),
    });
  }
  Object.entries(pki.leaves).forEach(([name, leaf], index) => {
    const { key, request, certificate } = style.leafOf(pki, leaf, index);
    const { commonName, organization, dns, ips, uses, hours, isAuthority = false, isKept } = leaf;
    const shared = style.sharesKey ? Object.values(pki.leaves)[0]!.key : leaf.key;
    const thing: Certificate = {
      kind: "certificate",
      addresses: rooted([certificate, request, key]),
      commonName: known(commonName),
      organization: organization === undefined ? undefined : known(organization),
      sans: [...dns.map(known), ...ips],
      uses: uses.map(known),
      hours,
      isAuthority,
      key: keyOf(style.sharesKey ? "shared" : name, shared),
      issuer: place(leaf.issuer),
      hidden: hiddenIn({ commonName, organization, dns, uses }),
      isKept,
      isDue: pki.due?.includes(name),
      isRequestVague: style.isRequestVague,
      isIssuerVague: style.isIssuerVague === true || leaf.otherIssuer !== undefined,
    };
    things.set(place(name), thing);
  });
  if (pki.ssh) {
    const addresses = rooted([`tls_private_key.${own(pki, style, "ssh")}`]);
    things.set(place("ssh"), { kind: "key", addresses, key: keyOf("ssh", pki.ssh) });
  }
  const set = (names: readonly string[] = []) => new Set(names.map(place));
  return {
    things,
    lost: set(Object.keys(pki.lost ?? {})),
    forgotten: set(pki.forgotten),
    moved: set(pki.moved),
  };
}

function keyOf(name: string, key: Algorithm): Key {
  const algorithm =
    key.algorithm === "RSA" ? `RSA-${key.bits}` : key.algorithm === "ECDSA" ? `ECDSA-${key.curve}` : key.algorithm;
  return { id: `${name} ${algorithm}`, algorithm };
}
