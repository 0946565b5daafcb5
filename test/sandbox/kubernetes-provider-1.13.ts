/**
 * The access stack is written for kubernetes provider 2.38.0. Where no registry or mirror has that one, the sandbox
 * runs it on 1.13.4, the newest that Go modules give: same objects, older names. Only a copy of the synthesized JSON is
 * rewritten, and anything that 1.13.4 cannot express is refused, never dropped.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const VERSION = "1.13.4";

/** What may stand in a block: `true` an attribute, else a block with its own content. */
interface Schema {
  readonly [name: string]: true | Schema;
}

const METADATA = { name: true, labels: true, annotations: true } as const;
const NAMESPACED = { ...METADATA, namespace: true } as const;
const BINDING = {
  role_ref: { api_group: true, kind: true, name: true },
  subject: { api_group: true, kind: true, name: true, namespace: true },
} as const;

/** The types that the stacks use, with all that provider 1.13.4 lets a configuration set. */
const SCHEMAS: Readonly<Record<string, Schema>> = {
  kubernetes_cluster_role_binding_v1: { metadata: METADATA, ...BINDING },
  kubernetes_cluster_role_v1: {
    metadata: METADATA,
    rule: { api_groups: true, non_resource_urls: true, resource_names: true, resources: true, verbs: true },
  },
  kubernetes_config_map_v1: { metadata: { ...NAMESPACED, generate_name: true }, data: true, binary_data: true },
  kubernetes_role_binding_v1: { metadata: NAMESPACED, ...BINDING },
  kubernetes_role_v1: {
    metadata: { ...NAMESPACED, generate_name: true },
    rule: { api_groups: true, resource_names: true, resources: true, verbs: true },
  },
  kubernetes_secret_v1: { metadata: { ...NAMESPACED, generate_name: true }, data: true, type: true },
};

/** The data sources that the stacks use, likewise. */
const DATA_SCHEMAS: Readonly<Record<string, Schema>> = {
  kubernetes_config_map_v1: { metadata: { name: true, namespace: true } },
};

/** Terraform's own, the same for every resource; "//" is where the CDK notes the construct's path. */
const META_ARGUMENTS: Schema = {
  "//": true,
  count: true,
  depends_on: true,
  for_each: true,
  lifecycle: true,
  provider: true,
};

/**
 * Without `config_path` and its kin: 1.13.4 with `load_config_file = false` ignores them without a word. With `true`, its
 * default, it fails where there is no kubeconfig even if host and credentials are given.
 */
const PROVIDER_SCHEMA: Schema = {
  "//": true,
  alias: true,
  client_certificate: true,
  client_key: true,
  cluster_ca_certificate: true,
  exec: { api_version: true, args: true, command: true, env: true },
  host: true,
  insecure: true,
  password: true,
  token: true,
  username: true,
};

/** A copy of a `cdk.tf.json` for kubernetes provider 1.13.4. Throws, with address and attribute, if that cannot be. */
export function toKubernetesProvider113(tf: Json): Json {
  const root = asObject(tf, "the configuration");
  refuseKubernetes("ephemeral", root.ephemeral);
  const copy = { ...root };
  if (root.resource !== undefined) copy.resource = renamed(asObject(root.resource, "resource"), SCHEMAS);
  if (root.data !== undefined) copy.data = renamed(asObject(root.data, "data"), DATA_SCHEMAS, "data.");
  if (root.provider !== undefined) copy.provider = providers(asObject(root.provider, "provider"));
  if (root.terraform !== undefined) copy.terraform = mapBlocks(root.terraform, "terraform", requirements);
  return renameReferences(copy);
}

function refuseKubernetes(kind: string, types: Json | undefined): void {
  for (const type of Object.keys(asObject(types ?? {}, kind))) {
    if (type.startsWith("kubernetes_")) refuseType(`${kind}.${type}`);
  }
}

function renamed(types: JsonObject, schemas: typeof SCHEMAS, kind = ""): JsonObject {
  const copy: Record<string, Json> = {};
  for (const [type, named] of Object.entries(types)) {
    if (!type.startsWith("kubernetes_")) {
      copy[type] = named;
      continue;
    }
    const schema = schemas[type] ?? refuseType(`${kind}${type}`);
    for (const [name, block] of Object.entries(asObject(named, type))) {
      check(block, { ...META_ARGUMENTS, ...schema }, `${kind}${type}.${name}`);
    }
    copy[oldType(type)] = named;
  }
  return copy;
}

function providers(blocks: JsonObject): JsonObject {
  if (blocks.kubernetes === undefined) return blocks;
  check(blocks.kubernetes, PROVIDER_SCHEMA, "provider.kubernetes");
  const kubernetes = mapBlocks(blocks.kubernetes, "provider.kubernetes", (block) => ({
    ...block,
    load_config_file: false,
  }));
  return { ...blocks, kubernetes };
}

function requirements(terraform: JsonObject): JsonObject {
  if (terraform.required_providers === undefined) return terraform;
  const required = mapBlocks(terraform.required_providers, "required_providers", (block) => {
    if (block.kubernetes === undefined) return block;
    return {
      ...block,
      kubernetes: { ...asObject(block.kubernetes, "required_providers.kubernetes"), version: VERSION },
    };
  });
  return { ...terraform, required_providers: required };
}

function check(value: Json, schema: Schema, address: string, parents = ""): void {
  for (const block of blocksOf(value, parents === "" ? address : `${address}: ${parents.slice(0, -1)}`)) {
    for (const [name, content] of Object.entries(block)) {
      const allowed = Object.hasOwn(schema, name) ? schema[name] : refuse(address, parents + name);
      // The CDK writes `null` for what is not set.
      if (allowed !== true && content !== null) check(content, allowed, address, `${parents}${name}.`);
    }
  }
}

function refuse(address: string, attribute: string): never {
  throw new Error(`${address}: kubernetes provider ${VERSION} has no equal of "${attribute}"`);
}

function refuseType(type: string): never {
  throw new Error(`${type}: not a type that the sandbox can run on kubernetes provider ${VERSION}`);
}

// References ----------------------------------------------------------------------------------------------------------

const REFERENCE = new RegExp(`(?<![\\w-])(${Object.keys(SCHEMAS).join("|")})(?=\\.)`, "g");
/** An interpolation or directive that is not escaped. */
const TEMPLATE = /(?<!\$)\$\{|(?<!%)%\{/;
/** A value of the state in what the library publishes of its files, as JSON. */
const PUBLISHED = '{"ref":"kubernetes_';
/** Where an address stands without `${}`; elsewhere such a string is mere text. */
const ADDRESSES = new Set(["depends_on", "from", "replace_triggered_by", "to"]);

function renameReferences(value: Json, isAddress = false): Json {
  if (typeof value === "string") {
    return isAddress || TEMPLATE.test(value) || value.includes(PUBLISHED) ? value.replace(REFERENCE, oldType) : value;
  }
  if (isList(value)) return value.map((item) => renameReferences(item, isAddress));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, renameReferences(item, ADDRESSES.has(key))]),
  );
}

function oldType(type: string): string {
  return type.replace(/_v1$/, "");
}

// Kubeconfig ----------------------------------------------------------------------------------------------------------

/** By kubeconfig field; certificates and keys come in base64 there and as PEM in the environment. */
const VARIABLES: readonly (readonly [field: string, variable: string, encoding: "plain" | "base64"])[] = [
  ["server", "KUBE_HOST", "plain"],
  ["certificate-authority-data", "KUBE_CLUSTER_CA_CERT_DATA", "base64"],
  ["client-certificate-data", "KUBE_CLIENT_CERT_DATA", "base64"],
  ["client-key-data", "KUBE_CLIENT_KEY_DATA", "base64"],
  ["token", "KUBE_TOKEN", "plain"],
];

/**
 * A kubeconfig with one cluster and one user, YAML or JSON, as the provider's environment: 1.13.4 reads no kubeconfig
 * file once `load_config_file` is false. Provider 2.38.0 understands the same variables.
 */
export function environmentOfKubeconfig(kubeconfig: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [field, variable, encoding] of VARIABLES) {
    const values = [...kubeconfig.matchAll(new RegExp(`(?<![\\w-])${field}["']?\\s*:\\s*["']?([^\\s"',}]+)`, "g"))];
    if (values.length > 1) throw new Error(`the kubeconfig has ${values.length} times "${field}": one was expected`);
    const value = values[0]?.[1];
    if (value !== undefined)
      env[variable] = encoding === "plain" ? value : Buffer.from(value, "base64").toString("utf8");
  }
  if (env.KUBE_HOST === undefined) throw new Error('the kubeconfig has no "server"');
  if (env.KUBE_CLIENT_KEY_DATA === undefined && env.KUBE_TOKEN === undefined) {
    throw new Error("the kubeconfig carries neither a client key nor a token in itself");
  }
  return env;
}

// JSON ----------------------------------------------------------------------------------------------------------------

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

function asObject(value: Json, what: string): JsonObject {
  if (!isObject(value)) throw new Error(`${what} is not an object`);
  return value;
}

/** In Terraform's JSON a block may be an object or a list of objects. */
function blocksOf(value: Json, what: string): JsonObject[] {
  return (isList(value) ? value : [value]).map((block) => asObject(block, what));
}

function mapBlocks(value: Json, what: string, map: (block: JsonObject) => JsonObject): Json {
  return isList(value) ? value.map((block) => map(asObject(block, what))) : map(asObject(value, what));
}
