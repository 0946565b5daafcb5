import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { LocalBackend, TerraformStack } from "cdktf";
import type { Guard, Key, Place, Standing, TableRow, Thing, World } from "./world";
import { newApp, synth } from "../support/synth";
import { inventoryOf } from "../../lib";
import { toKubernetesProvider113 } from "../sandbox/kubernetes-provider-1.13";

// What this library writes, read as code: names and references as they stand in cdk.tf.json.

/** A block of it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- edits reach anywhere into it
export type Json = any;

/** A stack as files of its folder. */
export interface Written {
  readonly code: Json;
  /** As text. */
  readonly inventory: string;
}

/** Synthesizes a stack with all providers. */
export function written(id: string, isOld: boolean, build: (stack: TerraformStack) => void): Written {
  const stack = new TerraformStack(newApp(), id);
  new LocalBackend(stack, { path: "terraform.tfstate" });
  new TlsProvider(stack, "tls");
  new KubernetesProvider(stack, "kubernetes");
  new RandomProvider(stack, "random");
  new TimeProvider(stack, "time");
  build(stack);
  const code = synth(stack);
  const inventory = JSON.stringify(inventoryOf(stack));
  return isOld
    ? {
        code: toKubernetesProvider113(code),
        // The newest that can be had without a registry: its types have no _v1 at their end.
        inventory: inventory.replace(/(kubernetes_\w+)_v1\./g, "$1."),
      }
    : { code, inventory };
}

/** Resources of a type whose names begin with a prefix. */
export function resourcesOf(code: Json, type: string, prefix: string): [name: string, block: Json][] {
  const all = Object.entries((code.resource?.[type] ?? {}) as Record<string, Json>);
  return all.filter(([name]) => name.startsWith(`${prefix}__`));
}

function referred(expression: unknown): { readonly type: string; readonly name: string } | undefined {
  const [, type, name] = /^\$\{(?:data\.)?(\w+)\.([\w-]+)\.\w+\}$/.exec(String(expression)) ?? [];
  return type === undefined || name === undefined ? undefined : { type, name };
}

function first(block: Json): Json {
  return Array.isArray(block) ? block[0] : block;
}

/** `<prefix>__ca__<name>__<generation>`, `<prefix>__<holder>__<name>`. */
function thingName(prefix: string, name: string): string {
  const [one = "", two = "", three] = name.slice(prefix.length + 2).split("__");
  return three === undefined ? `${prefix}: ${one}/${two}` : `${prefix}: ${two} ${three}`;
}

/** What is chosen of a cluster that its code does not hold in clear. */
export interface Chosen {
  readonly isProtected: boolean;
  /** `kubernetes g1` */
  readonly pinned?: string;
  /** Codes of the exceptions that were added to rows. */
  readonly exceptions?: Readonly<Record<string, readonly string[]>>;
}

/**
 * What the code of a cluster says that there is.
 *
 * @param table the same code without what was changed by hand: what is in there is in the distribution's table
 */
export function pkiWorld(code: Json, prefix: string, chosen: Chosen, table: Json = code): World {
  const things = new Map<string, Thing>();
  const standings = standingsOf(code, prefix);
  const certificates = ["tls_self_signed_cert", "tls_locally_signed_cert"].flatMap((type) =>
    resourcesOf(code, type, prefix).map(([name, block]) => ({ type, name, block })),
  );
  const ownerOfKey = new Map<string, string>();
  for (const { type, name, block } of certificates) {
    const request = referred(block.cert_request_pem);
    const named = request ? code.resource[request.type][request.name] : block;
    const key = referred(named.private_key_pem)!;
    const subject = first(named.subject);
    const issuer = referred(block.ca_cert_pem);
    const title = thingName(prefix, name);
    const row = table.resource[request?.type ?? type]?.[request?.name ?? name];
    const values = { commonName: subject.common_name, organization: subject.organization };
    const lists = { sans: [...(named.dns_names ?? []), ...(named.ip_addresses ?? [])], uses: block.allowed_uses };
    const isHidden = (value: unknown) => String(value).includes("${");
    ownerOfKey.set(key.name, title);
    things.set(title, {
      kind: "certificate",
      addresses: [
        `${type}.${name}`,
        ...(request ? [`${request.type}.${request.name}`] : []),
        `${key.type}.${key.name}`,
      ],
      names: [title],
      commonName: shown(values.commonName)!,
      organization: shown(values.organization),
      sans: lists.sans.map((one: string) => shown(one)!),
      uses: lists.uses.map((one: string) => shown(one)!),
      hours: block.validity_period_hours,
      isAuthority: block.is_ca_certificate === true,
      key: keyOf(code, key.name),
      ...(issuer ? { issuer: thingName(prefix, issuer.name) } : {}),
      ...(standings.get(title) ? { generation: standings.get(title)! } : {}),
      hidden: [
        ...Object.entries(values).flatMap(([field, value]) => (isHidden(value) ? [field] : [])),
        ...Object.entries(lists).flatMap(([field, list]) => (list.some(isHidden) ? [field] : [])),
      ],
      isInTable: JSON.stringify(first(row?.subject)) === JSON.stringify(subject),
      isKept: block.lifecycle?.ignore_changes?.includes("cert_request_pem") ?? false,
    });
  }
  for (const [name] of resourcesOf(code, "tls_private_key", prefix)) {
    if (!ownerOfKey.has(name)) {
      const title = thingName(prefix, name);
      ownerOfKey.set(name, title);
      const generation = standings.get(title);
      things.set(title, {
        kind: "key",
        addresses: [`tls_private_key.${name}`],
        names: [title],
        key: keyOf(code, name),
        ...(generation ? { generation } : {}),
      });
    }
  }
  for (const place of placesOf(code, prefix, ownerOfKey)) {
    things.set(`${prefix}: file ${place.holder} ${place.path}`, place);
  }
  for (const [title, { standing }] of standings) {
    if (standing !== "retired") {
      const isPinned = chosen.pinned !== undefined && title === `${prefix}: ${chosen.pinned}`;
      const guard: Guard = { kind: "guard", addresses: [], names: [title], isProtected: chosen.isProtected, isPinned };
      things.set(`guard ${title}`, guard);
    }
  }
  for (const [row, exceptions] of Object.entries(chosen.exceptions ?? {})) {
    const thing: TableRow = { kind: "row", addresses: [], names: [`${prefix}: ${row}`, row], exceptions };
    things.set(`${prefix}: row ${row}`, thing);
  }
  return { things };
}

function shown(value: unknown): string | undefined {
  return value === undefined || value === null
    ? undefined
    : String(value).includes("${")
      ? `(${String(value)})`
      : String(value);
}

function keyOf(code: Json, name: string): Key {
  const { algorithm, rsa_bits: bits, ecdsa_curve: curve } = code.resource.tls_private_key[name];
  const made = algorithm === "RSA" ? `RSA-${bits ?? 2048}` : `${algorithm}-${curve ?? "P224"}`;
  return { id: `${name} ${made}`, algorithm: made };
}

function standingsOf(code: Json, prefix: string): Map<string, { of: string; standing: Standing }> {
  const found = new Map<string, { of: string; standing: Standing }>();
  const value = code.output?.[`${prefix}_certificates`]?.value ?? {};
  for (const part of ["ca", "keys"]) {
    const sets = JSON.parse(value[part] ?? "{}") as Record<string, Record<string, Standing>>;
    for (const [of, generations] of Object.entries(sets)) {
      for (const [id, standing] of Object.entries(generations)) {
        found.set(`${prefix}: ${of} ${id}`, { of: `${part} ${of}`, standing });
      }
    }
  }
  return found;
}

function placesOf(code: Json, prefix: string, ownerOfKey: ReadonlyMap<string, string>): Place[] {
  const holders = Object.entries((code.output?.[`${prefix}_files`]?.value ?? {}) as Record<string, string>);
  return holders.flatMap(([holder, text]) =>
    Object.entries(JSON.parse(text) as Record<string, Json>).flatMap(([path, file]): Place[] => {
      const keys = [...JSON.stringify(file.content).matchAll(/tls_private_key\.([\w-]+)\.private_key_pem/g)];
      const owners = keys.flatMap(([, name]) => ownerOfKey.get(name!) ?? []);
      const { mode = "0600", owner = "root:root" } = file;
      return owners.length > 0
        ? [{ kind: "place", addresses: [], holder, path, keys: [...new Set(owners)], mode, owner }]
        : [];
    }),
  );
}

/** What the code says of access to a cluster. */
export function accessWorldOf(code: Json, prefix: string, lives: Readonly<Record<string, number>>, table: Json): World {
  const things = new Map<string, Thing>();
  for (const type of Object.keys(code.resource ?? {}).filter((one) => /^kubernetes_.*role_binding/.test(one))) {
    for (const [name, block] of resourcesOf(code, type, prefix)) {
      const { kind, name: role } = first(block.role_ref);
      const subjectsIn = (one: Json) =>
        (one ? [one.subject].flat() : []).map(({ kind: of, name: who, namespace }: Json) =>
          of === "ServiceAccount" ? `${of}/${namespace}/${who}` : `${of}/${who}`,
        );
      const row = table.resource[type]?.[name];
      const isInTable =
        first(row?.role_ref)?.name === role && JSON.stringify(subjectsIn(row)) === JSON.stringify(subjectsIn(block));
      things.set(`${prefix} ${type}.${name}`, {
        kind: "binding",
        addresses: [`${type}.${name}`],
        role: `${kind}/${role}`,
        subjects: subjectsIn(block),
        isInTable,
        ...(first(block.metadata).namespace ? { namespace: first(block.metadata).namespace } : {}),
      });
    }
  }
  for (const type of ["kubernetes_secret", "kubernetes_secret_v1"]) {
    for (const [name, { data }] of resourcesOf(code, type, prefix)) {
      const token = name.split("__").at(-1)!;
      things.set(`${prefix} token ${token}`, {
        kind: "token",
        addresses: [`${type}.${name}`],
        names: [`${prefix}: ${token}`],
        groups: String(data["auth-extra-groups"] ?? "")
          .split(",")
          .filter((group) => group !== ""),
        lifeHours: lives[token] ?? 72,
      });
    }
  }
  return { things };
}
