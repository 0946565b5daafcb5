import { X509Certificate } from "node:crypto";
import type { InventoryEntry } from "../inventory-schema";
import { object, text } from "../terraform-json/json";
import { Entries, IdentityKind, Name, nameOf } from "./names";
import type { Plan, PlannedResource } from "../terraform-json/plan";
import type { ConfiguredReference } from "../terraform-json/references";
import { Side, visible } from "./visible";

/** Resources that are one thing to those who use it: a certificate with its request and key, say. */
export interface Identity {
  readonly kind: IdentityKind;
  readonly name: Name;
  /** The resource that stands for it: the certificate, the key of a key pair, the Secret of a token, the binding. */
  readonly anchor: PlannedResource;
  /** All its resources, sorted by address. */
  readonly parts: readonly PlannedResource[];
  /** What is known at synth; undefined without an inventory. */
  readonly entry?: InventoryEntry;
  /** Its private key, on each side. */
  readonly key: Sides<PlannedResource>;
  /** Where the names of a certificate stand, on each side. */
  readonly request: Sides<PlannedResource>;
  /** The authority that signs it, on each side; undefined where that is itself, or not known. */
  readonly issuer: Sides<Identity>;
}

/** Something that may be another one after the plan. */
export type Sides<T> = Readonly<Partial<Record<Side, T>>>;

const CERTIFICATES = new Set(["tls_self_signed_cert", "tls_locally_signed_cert"]);
const BINDING = /^kubernetes_(cluster_)?role_binding(_v1)?$/;
const SECRET = /^kubernetes_secret(_v1)?$/;
const HALVES = new Set(["random_password", "random_string", "random_id", "time_rotating"]);
const TOKEN_TYPE = "bootstrap.kubernetes.io/token";

/** Groups the resources of a plan: by what refers to what in the code, and by equal values in the state. */
export function identitiesOf(plan: Plan, entries: Entries): Identity[] {
  return new Grouping(plan, entries).all();
}

/** True where the thing exists on that side. */
export function exists(identity: Identity, side: Side): boolean {
  return identity.anchor[side] !== undefined && (side === "before" || identity.anchor.change !== "forget");
}

/** The certificate of an authority: from a resource of the tls provider, or from outside. */
export function certificatePem(anchor: PlannedResource, side: Side): string | undefined {
  const values = anchor[side];
  if (anchor.type !== "terraform_data") {
    return text(values?.cert_pem);
  }
  // Its output is known after the apply, and is what the input is now.
  return text(object(values?.output).certificate_pem) ?? text(object(values?.input).certificate_pem);
}

/** The public key of a key pair from outside. */
export function publicKeyPem(anchor: PlannedResource, side: Side): string | undefined {
  return text(object(anchor[side]?.input).public_key_pem);
}

/** What can be read of a certificate; undefined where it is none, or not known yet. */
export function parsedCertificate(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

class Grouping {
  private readonly instances = new Map<string, PlannedResource[]>();
  private readonly claimed = new Set<PlannedResource>();
  private readonly keysByPem: ReadonlyMap<string, PlannedResource>;
  private readonly requestsByPem: ReadonlyMap<string, PlannedResource>;
  private readonly authoritiesByPem = new Map<string, Identity>();
  private readonly identityOf = new Map<PlannedResource, Identity>();

  public constructor(
    private readonly plan: Plan,
    private readonly entries: Entries,
  ) {
    for (const resource of plan.resources) {
      const others = this.instances.get(resource.configured);
      if (others) {
        others.push(resource);
      } else {
        this.instances.set(resource.configured, [resource]);
      }
    }
    this.keysByPem = this.byValue("tls_private_key", "private_key_pem");
    this.requestsByPem = this.byValue("tls_cert_request", "cert_request_pem");
  }

  public all(): Identity[] {
    const { resources } = this.plan;
    const certificates = resources.filter(({ type }) => CERTIFICATES.has(type));
    const identities = [
      ...certificates.map((anchor) => this.certificate(anchor)),
      ...resources.filter(({ type }) => type === "terraform_data").flatMap((anchor) => this.adopted(anchor)),
      ...resources.filter(({ type }) => BINDING.test(type)).map((anchor) => this.make("binding", anchor, [anchor])),
    ];
    identities.push(...this.secretsAndTokens());
    const lone = resources.filter(({ type }) => type === "tls_private_key").filter((key) => !this.claimed.has(key));
    identities.push(...lone.map((key) => this.make("key pair", key, [key], { before: key, after: key })));
    this.connect(identities);
    return identities;
  }

  private certificate(anchor: PlannedResource): Identity {
    const self = anchor.type === "tls_self_signed_cert";
    const request = self ? { before: anchor, after: anchor } : this.requestOf(anchor);
    const key = {
      before: this.before(request.before, "private_key_pem", this.keysByPem),
      after: this.referred(request.after, "private_key_pem", "tls_private_key"),
    };
    const parts = [anchor, request.before, request.after, key.before, key.after];
    const isAuthority = visible(anchor, anchor.after ? "after" : "before", "is_ca_certificate") === "true";
    return this.make(isAuthority ? "authority" : "certificate", anchor, parts, key, request);
  }

  private requestOf(anchor: PlannedResource): Sides<PlannedResource> {
    return {
      before: this.before(anchor, "cert_request_pem", this.requestsByPem),
      after: this.referred(anchor, "cert_request_pem", "tls_cert_request"),
    };
  }

  /** What was made elsewhere is kept as data: an authority's certificate, a key pair's public key. */
  private adopted(anchor: PlannedResource): Identity[] {
    const holds = (name: string) =>
      [anchor.before, anchor.after].some((values) => text(object(values?.input)[name]) !== undefined);
    const entry = this.entries.of([anchor.address])?.kind;
    const isAuthority = entry === "authority" || holds("certificate_pem");
    if (!isAuthority && entry !== "key pair" && !holds("public_key_pem")) {
      return [];
    }
    return [this.make(isAuthority ? "authority" : "key pair", anchor, [anchor], { before: anchor, after: anchor })];
  }

  private secretsAndTokens(): Identity[] {
    const secrets = this.plan.resources.filter(({ type }) => SECRET.test(type));
    const tokens = secrets.filter((secret) => typesOf(secret).includes(TOKEN_TYPE));
    const made = tokens.map((secret) => {
      const halves = this.dependencies(secret).filter(({ type }) => HALVES.has(type));
      const alike = this.plan.resources.filter(({ type, name }) => HALVES.has(type) && name === secret.name);
      // What is no longer in the code refers to nothing: this library gives all parts of a token one name.
      return this.make("token", secret, [secret, ...(halves.length > 0 ? halves : alike)]);
    });
    const others = secrets.filter((secret) => !tokens.includes(secret) && this.holdsPki(secret));
    return [...made, ...this.tokensWithoutSecret(), ...others.map((secret) => this.make("secret", secret, [secret]))];
  }

  /** Tokens with which machines join that stand in files alone. */
  private tokensWithoutSecret(): Identity[] {
    const halves = this.plan.resources.filter((resource) => HALVES.has(resource.type) && !this.claimed.has(resource));
    const byName = new Map<string, PlannedResource[]>();
    for (const half of halves.filter((resource) => this.isToken(resource))) {
      byName.set(half.name, [...(byName.get(half.name) ?? []), half]);
    }
    return [...byName.values()].map((parts) => {
      const anchor = parts.find(({ type }) => type === "random_password") ?? parts[0]!;
      return this.make("token", anchor, parts);
    });
  }

  private isToken({ address, name }: PlannedResource): boolean {
    return this.entries.of([address])?.kind === "token" || /^[a-z][a-z0-9-]*__token__/.test(name);
  }

  private holdsPki(secret: PlannedResource): boolean {
    const references = this.plan.references.of(secret.configured);
    return (
      typesOf(secret).includes("kubernetes.io/tls") || references.some(({ address }) => /(^|\.)tls_/.test(address))
    );
  }

  /** What a resource is made of, and what that is made of. */
  private dependencies(resource: PlannedResource, seen = new Set<PlannedResource>()): PlannedResource[] {
    for (const reference of this.plan.references.of(resource.configured)) {
      const found = this.instance(reference, resource);
      if (found && !seen.has(found)) {
        seen.add(found);
        this.dependencies(found, seen);
      }
    }
    return [...seen];
  }

  private make(
    kind: IdentityKind,
    anchor: PlannedResource,
    parts: readonly (PlannedResource | undefined)[],
    key: Sides<PlannedResource> = {},
    request: Sides<PlannedResource> = {},
  ): Identity {
    const own = [...new Set(parts.filter((part) => part !== undefined))].sort((a, b) =>
      a.address < b.address ? -1 : 1,
    );
    own.forEach((part) => this.claimed.add(part));
    const entry = this.entries.of([anchor, ...own].map(({ address }) => address));
    const name = nameOf(kind, anchor, entry);
    const identity: Identity = { kind, name, anchor, parts: own, entry, key, request, issuer: {} };
    this.identityOf.set(anchor, identity);
    const pem = kind === "authority" ? certificatePem(anchor, "before") : undefined;
    if (pem !== undefined) {
      this.authoritiesByPem.set(pem, identity);
    }
    return identity;
  }

  /** Who signs whom is known when all authorities are. */
  private connect(identities: readonly Identity[]): void {
    for (const identity of identities) {
      const { anchor } = identity;
      if (anchor.type === "tls_locally_signed_cert") {
        const before = this.authoritiesByPem.get(text(anchor.before?.ca_cert_pem) ?? "");
        const after = anchor.after ? this.signer(anchor) : undefined;
        Object.assign(identity, { issuer: { before, after: after ?? (anchor.after && before) } });
      }
    }
  }

  private signer(anchor: PlannedResource): Identity | undefined {
    for (const reference of this.plan.references.of(anchor.configured, "ca_cert_pem")) {
      const identity = this.identityOf.get(this.instance(reference, anchor)!);
      if (identity?.kind === "authority") {
        return identity;
      }
    }
    const known = text(anchor.after?.ca_cert_pem);
    return known === undefined ? undefined : this.authoritiesByPem.get(known);
  }

  /** The resource whose value stood in an attribute. */
  private before(
    resource: PlannedResource | undefined,
    attribute: string,
    known: ReadonlyMap<string, PlannedResource>,
  ): PlannedResource | undefined {
    const value = text(resource?.before?.[attribute]);
    return value === undefined ? undefined : known.get(value);
  }

  /** The resource that the code names in an attribute; where that cannot be seen, the one that has its value. */
  private referred(
    resource: PlannedResource | undefined,
    attribute: string,
    type: string,
  ): PlannedResource | undefined {
    if (!resource?.after) {
      return undefined;
    }
    for (const reference of this.plan.references.of(resource.configured, attribute)) {
      const found = this.instance(reference, resource);
      if (found?.type === type) {
        return found;
      }
    }
    const value = text(resource.after[attribute]);
    const known = type === "tls_private_key" ? this.keysByPem : this.requestsByPem;
    return value === undefined ? undefined : known.get(value);
  }

  /** The instance that a reference of a resource means: with the same keys, or the only one. */
  private instance({ address }: ConfiguredReference, from: PlannedResource): PlannedResource | undefined {
    const all = this.instances.get(address) ?? [];
    return all.length === 1 ? all[0] : all.find(({ keys }) => keys === from.keys);
  }

  private byValue(type: string, attribute: string): Map<string, PlannedResource> {
    const found = new Map<string, PlannedResource>();
    for (const resource of this.plan.resources) {
      const value = resource.type === type ? text(resource.before?.[attribute]) : undefined;
      if (value !== undefined) {
        found.set(value, resource);
      }
    }
    return found;
  }
}

/** Types of a Secret before and after. */
function typesOf(secret: PlannedResource): string[] {
  return (["before", "after"] as const).flatMap((side) => visible(secret, side, "type") ?? []);
}
