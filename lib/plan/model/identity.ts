import { X509Certificate } from "node:crypto";
import { typeOf } from "../../terraform-json/address";
import { text } from "../../terraform-json/json";
import { Plan, PlannedResource, Side, SIDES } from "../../terraform-json/plan";
import type { ConfiguredReference } from "../../terraform-json/references";
import { parseName } from "../../terraform/names";
import { pemAt, resourceType, Role } from "../../terraform-json/resource-types";
import { Entries, InventoryEntry } from "../read/inventory";
import { visible } from "../read/visible";
import { renamedBindings } from "./grants";
import { IdentityKind, Name, nameOf } from "./names";

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

/** Roles of what a token is made of, but for its Secret. */
const OF_A_TOKEN: readonly Role[] = ["password", "token id", "rotation"];
/** Roles of what a Secret with certificates is made of. */
const OF_A_CERTIFICATE: readonly (Role | undefined)[] = ["key", "request", "certificate", "self-signed certificate"];
/** The type of a Secret that is a bootstrap token. */
const BOOTSTRAP_TOKEN = "bootstrap.kubernetes.io/token";

/** Groups the resources of a plan: by what refers to what in the code, and by equal values in the state. */
export function identitiesOf(plan: Plan, entries: Entries): Identity[] {
  return new Grouping(plan, entries).all();
}

/** True where the thing exists on that side. */
export function exists(identity: Identity, side: Side): boolean {
  return identity.anchor[side] !== undefined && (side === "before" || identity.anchor.change !== "forget");
}

/** The certificate that stands in a resource; undefined where it is not known yet. */
export function certificatePem(anchor: PlannedResource, side: Side): string | undefined {
  return pemAt(anchor.row, anchor[side], "certificate");
}

/** The public key of a key pair from outside. */
export function publicKeyPem(anchor: PlannedResource, side: Side): string | undefined {
  return pemAt(anchor.row, anchor[side], "publicKey");
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
    this.keysByPem = this.byValue("key", "private_key_pem");
    this.requestsByPem = this.byValue("request", "cert_request_pem");
  }

  public all(): Identity[] {
    const identities = [
      ...this.withRole("certificate", "self-signed certificate").map((anchor) => this.certificate(anchor)),
      ...this.withRole("adopted").flatMap((anchor) => this.adopted(anchor)),
      ...this.bindings(),
      ...this.withRole("role").map((anchor) => this.make("role", anchor, [anchor])),
    ];
    identities.push(...this.secretsAndTokens());
    const keyPairs = this.withRole("key").filter((key) => !this.claimed.has(key));
    identities.push(...keyPairs.map((key) => this.make("key pair", key, [key], { before: key, after: key })));
    this.connect(identities);
    return identities;
  }

  /** One that has another name is one with what it was. */
  private bindings(): Identity[] {
    const all = this.withRole("binding");
    // In another API server, an equal one is another one.
    const renamed = this.plan.hasSeveralServers ? undefined : renamedBindings(all);
    const old = new Set(renamed?.values());
    return all
      .filter((binding) => !old.has(binding))
      .map((binding) => this.make("binding", binding, [binding, renamed?.get(binding)]));
  }

  private withRole(...roles: readonly Role[]): PlannedResource[] {
    return this.plan.resources.filter(({ row }) => roles.includes(row.role));
  }

  private certificate(anchor: PlannedResource): Identity {
    const self = anchor.row.role === "self-signed certificate";
    const request = self ? { before: anchor, after: anchor } : this.requestOf(anchor);
    const key = {
      before: this.before(request.before, "private_key_pem", this.keysByPem),
      after: this.referred(request.after, "private_key_pem", "key", this.keysByPem),
    };
    const parts = [anchor, request.before, request.after, key.before, key.after];
    const isAuthority = visible(anchor, anchor.after ? "after" : "before", "is_ca_certificate") === "true";
    return this.make(isAuthority ? "authority" : "certificate", anchor, parts, key, request);
  }

  private requestOf(anchor: PlannedResource): Sides<PlannedResource> {
    return {
      before: this.before(anchor, "cert_request_pem", this.requestsByPem),
      after: this.referred(anchor, "cert_request_pem", "request", this.requestsByPem),
    };
  }

  /** What was made elsewhere: an authority has its certificate there, a key pair its public key. */
  private adopted(anchor: PlannedResource): Identity[] {
    const holds = (pem: typeof certificatePem) => SIDES.some((side) => pem(anchor, side) !== undefined);
    const entry = this.entries.of([anchor.address])?.kind;
    const isAuthority = entry === "authority" || holds(certificatePem);
    if (!isAuthority && entry !== "key pair" && !holds(publicKeyPem)) {
      return [];
    }
    return [this.make(isAuthority ? "authority" : "key pair", anchor, [anchor], { before: anchor, after: anchor })];
  }

  private secretsAndTokens(): Identity[] {
    const secrets = this.withRole("secret");
    const tokens = secrets.filter((secret) => typesOfSecret(secret).includes(BOOTSTRAP_TOKEN));
    const ofTokens = this.withRole(...OF_A_TOKEN);
    const made = tokens.map((secret) => {
      const referred = this.dependencies(secret).filter(({ row }) => OF_A_TOKEN.includes(row.role));
      // What is no longer in the code refers to nothing: this library gives all parts of a token one name.
      const parts = referred.length > 0 ? referred : ofTokens.filter(({ name }) => name === secret.name);
      return this.make("token", secret, [secret, ...parts]);
    });
    const others = secrets.filter((secret) => !tokens.includes(secret) && this.holdsPki(secret));
    return [...made, ...this.joinPasswords(), ...others.map((secret) => this.make("secret", secret, [secret]))];
  }

  /** Tokens with which machines join that stand in files alone. */
  private joinPasswords(): Identity[] {
    const byName = new Map<string, PlannedResource[]>();
    for (const part of this.withRole(...OF_A_TOKEN)) {
      if (!this.claimed.has(part) && this.isToken(part)) {
        byName.set(part.name, [...(byName.get(part.name) ?? []), part]);
      }
    }
    return [...byName.values()].map((parts) => {
      const anchor = parts.find(({ row }) => row.role === "password") ?? parts[0]!;
      return this.make("token", anchor, parts);
    });
  }

  private isToken({ address, name }: PlannedResource): boolean {
    return this.entries.of([address])?.kind === "token" || parseName(name)?.kind === "token";
  }

  private holdsPki(secret: PlannedResource): boolean {
    const references = this.plan.references.of(secret.configured);
    return (
      typesOfSecret(secret).includes("kubernetes.io/tls") ||
      references.some(({ address }) => OF_A_CERTIFICATE.includes(resourceType(typeOf(address))?.role))
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
      if (anchor.row.role === "certificate") {
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
    role: Role,
    known: ReadonlyMap<string, PlannedResource>,
  ): PlannedResource | undefined {
    if (!resource?.after) {
      return undefined;
    }
    for (const reference of this.plan.references.of(resource.configured, attribute)) {
      const found = this.instance(reference, resource);
      if (found?.row.role === role) {
        return found;
      }
    }
    const value = text(resource.after[attribute]);
    return value === undefined ? undefined : known.get(value);
  }

  /** The instance that a reference of a resource means: with the same keys, or the only one. */
  private instance({ address }: ConfiguredReference, from: PlannedResource): PlannedResource | undefined {
    const all = this.instances.get(address) ?? [];
    return all.length === 1 ? all[0] : all.find(({ keys }) => keys === from.keys);
  }

  private byValue(role: Role, attribute: string): Map<string, PlannedResource> {
    const found = new Map<string, PlannedResource>();
    for (const resource of this.withRole(role)) {
      const value = text(resource.before?.[attribute]);
      if (value !== undefined) {
        found.set(value, resource);
      }
    }
    return found;
  }
}

/** Types of a Secret before and after. */
function typesOfSecret(secret: PlannedResource): string[] {
  return SIDES.flatMap((side) => visible(secret, side, "type") ?? []);
}
