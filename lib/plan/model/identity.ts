import { X509Certificate } from "node:crypto";
import { typeOf } from "../../terraform-json/address";
import { at, text } from "../../terraform-json/json";
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
  /** Its resources, sorted by address; one that several are made of is a part of the first of them alone. */
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

/** True for a certificate that is signed elsewhere, of which the state has what was asked for, and what came back. */
export function isSignedElsewhere({ row, ...sides }: PlannedResource): boolean {
  const uses = row.role === "adopted" ? row.madeOf?.uses : undefined;
  return uses !== undefined && SIDES.some((side) => Array.isArray(at(sides[side], uses)));
}

/** The certificate of the authority that signs one; undefined where it is not known yet. */
export function issuerPem({ row, ...sides }: PlannedResource, side: Side): string | undefined {
  return row.madeOf && text(at(sides[side], row.madeOf.issuer));
}

/** The request that a certificate is made of. */
export function requestPem({ row, ...sides }: PlannedResource, side: Side): string | undefined {
  return row.madeOf && text(at(sides[side], row.madeOf.request));
}

/** The public key of a key pair from outside. */
export function publicKeyPem(anchor: PlannedResource, side: Side): string | undefined {
  return pemAt(anchor.row, anchor[side], "publicKey");
}

/** What can be read of a certificate; undefined where it is none, or not known yet. */
export function parsedCertificate(pem: string | undefined): X509Certificate | undefined {
  try {
    // What has no such line is no certificate: an exception for each would take its time.
    return pem?.includes("-----BEGIN ") ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}

/** What people call the key of service accounts. */
const SERVICE_ACCOUNT = /(^|[_-])(sa|service[_-]?accounts?)([_-]|$)/i;

class Grouping {
  private readonly instances = new Map<string, PlannedResource[]>();
  private readonly byKeys = new Map<string, ReadonlyMap<string, PlannedResource>>();
  private readonly byRole = new Map<Role, PlannedResource[]>();
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
      addTo(this.instances, resource.configured, resource);
      addTo(this.byRole, resource.row.role, resource);
    }
    this.keysByPem = this.byValue("key", "private_key_pem");
    this.requestsByPem = this.byValue("request", "cert_request_pem");
  }

  public all(): Identity[] {
    const keyPair = (key: PlannedResource) => this.make("key pair", key, [key], { before: key, after: key });
    const keys = this.withRole("key");
    const claiming = [
      // First: the key of service accounts stays one, whatever certificate is made with it.
      ...keys.filter((key) => this.isKeyPair(key)).map(keyPair),
      ...this.withRole("certificate", "self-signed certificate").map((anchor) => this.certificate(anchor)),
      ...this.withRole("adopted").flatMap((anchor) => this.adopted(anchor)),
      ...this.bindings(),
      ...this.withRole("role").map((anchor) => this.make("role", anchor, [anchor])),
      ...this.secretsAndTokens(),
    ];
    const left = keys.filter((key) => !this.claimed.has(key));
    const signing = left.length > 0 ? this.signingKeys() : undefined;
    const identities = [...claiming, ...left.filter((key) => signing?.has(key)).map(keyPair)];
    this.connect(identities);
    return identities;
  }

  private isKeyPair({ address, name }: PlannedResource): boolean {
    return (
      this.entries.of([address])?.kind === "key pair" ||
      parseName(name)?.kind === "key pair" ||
      SERVICE_ACCOUNT.test(name)
    );
  }

  /** Keys that requests, or certificates, are signed with. What signs nothing is a key of something else: SSH, say. */
  private signingKeys(): Set<PlannedResource | undefined> {
    const signed = this.withRole("request", "certificate");
    return new Set<PlannedResource | undefined>(
      signed.flatMap((resource) =>
        ["private_key_pem", "ca_private_key_pem"].flatMap((attribute) => [
          this.withValue(resource.before?.[attribute], this.keysByPem),
          ...this.named(resource, attribute),
        ]),
      ),
    );
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
    return roles.flatMap((role) => this.byRole.get(role) ?? []);
  }

  private certificate(anchor: PlannedResource): Identity {
    const self = anchor.row.role === "self-signed certificate";
    const both = { before: anchor, after: anchor };
    const asked = anchor.row.madeOf?.request ?? "cert_request_pem";
    const request = self ? both : this.sourceOf(both, asked, "request", this.requestsByPem);
    const key = this.sourceOf(request, "private_key_pem", "key", this.keysByPem);
    const parts = [anchor, request.before, request.after, key.before, key.after];
    const isAuthority = visible(anchor, anchor.after ? "after" : "before", "is_ca_certificate") === "true";
    return this.make(isAuthority ? "authority" : "certificate", anchor, parts, key, request);
  }

  /** What was made elsewhere: an authority has its certificate there, a key pair its public key, a certificate its request, too. */
  private adopted(anchor: PlannedResource): Identity[] {
    if (isSignedElsewhere(anchor)) {
      return [this.certificate(anchor)];
    }
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
    const tokens = new Set(secrets.filter((secret) => typesOfSecret(secret).includes(BOOTSTRAP_TOKEN)));
    const ofTokens = new Map<string, PlannedResource[]>();
    this.withRole(...OF_A_TOKEN).forEach((part) => addTo(ofTokens, part.name, part));
    const made = [...tokens].map((secret) => {
      const referred = this.dependencies(secret).filter(({ row }) => OF_A_TOKEN.includes(row.role));
      // What is no longer in the code refers to nothing: this library gives all parts of a token one name.
      const parts = referred.length > 0 ? referred : (ofTokens.get(secret.name) ?? []);
      return this.make("token", secret, [secret, ...parts]);
    });
    const others = secrets.filter((secret) => !tokens.has(secret) && this.holdsPki(secret));
    return [...made, ...this.joinPasswords(), ...others.map((secret) => this.make("secret", secret, [secret]))];
  }

  /** Tokens with which machines join that stand in files alone. */
  private joinPasswords(): Identity[] {
    const byName = new Map<string, PlannedResource[]>();
    for (const part of this.withRole(...OF_A_TOKEN)) {
      if (!this.claimed.has(part) && this.isToken(part)) {
        addTo(byName, part.name, part);
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
  private dependencies(resource: PlannedResource): PlannedResource[] {
    const seen = new Set<PlannedResource>();
    const ahead = [resource];
    for (let from = ahead.pop(); from; from = ahead.pop()) {
      for (const reference of this.plan.references.of(from.configured)) {
        const found = this.instance(reference, from);
        if (found && !seen.has(found)) {
          seen.add(found);
          ahead.push(found);
        }
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
    const free = parts
      .filter((part) => part !== undefined)
      .filter((part) => part === anchor || !this.claimed.has(part));
    const own = [...new Set(free)].sort((a, b) => (a.address < b.address ? -1 : 1));
    own.forEach((part) => this.claimed.add(part));
    const entry = this.entries.of([anchor, ...own].map(({ address }) => address));
    const name = nameOf(kind, anchor, entry);
    const identity: Identity = { kind, name, anchor, parts: own, entry, key, request, issuer: {} };
    this.identityOf.set(anchor, identity);
    for (const side of kind === "authority" ? SIDES : []) {
      const pem = certificatePem(anchor, side);
      if (pem !== undefined) {
        this.authoritiesByPem.set(pem.trim(), identity);
      }
    }
    return identity;
  }

  /** Who signs whom is known when all authorities are. */
  private connect(identities: readonly Identity[]): void {
    for (const identity of identities) {
      const { anchor } = identity;
      if (anchor.row.role === "certificate" || isSignedElsewhere(anchor)) {
        const before = this.authoritiesByPem.get(issuerPem(anchor, "before")?.trim() ?? "");
        Object.assign(identity, { issuer: { before, after: anchor.after && this.signer(anchor, before) } });
      }
    }
  }

  private signer(anchor: PlannedResource, before: Identity | undefined): Identity | undefined {
    const known = issuerPem(anchor, "after");
    const same = known === undefined ? undefined : this.authoritiesByPem.get(known.trim());
    if (same) {
      return same;
    }
    if (known !== undefined) {
      return undefined; // Somebody else's.
    }
    const attribute = attributeOf(anchor.row.madeOf!.issuer);
    const named = this.named(anchor, attribute).flatMap((resource) => this.identityOf.get(resource) ?? []);
    const authorities = new Set(named.filter(({ kind }) => kind === "authority"));
    if (authorities.size > 0 && this.isFollowed(anchor, attribute)) {
      return onlyOne([...authorities]);
    }
    return before && madeAnew(before.anchor) ? before : undefined;
  }

  /** What a value of something is made from, on each side. */
  private sourceOf(
    owner: Sides<PlannedResource>,
    path: string,
    role: Role,
    known: ReadonlyMap<string, PlannedResource>,
  ): Sides<PlannedResource> {
    const before = this.withValue(at(owner.before?.before, path), known);
    return { before, after: owner.after?.after && this.sourceAfter(owner.after, path, role, known, before) };
  }

  /** By its value; where that is still to come, by what the code names; where the code does not tell, what was there and is made anew. */
  private sourceAfter(
    owner: PlannedResource,
    path: string,
    role: Role,
    known: ReadonlyMap<string, PlannedResource>,
    before: PlannedResource | undefined,
  ): PlannedResource | undefined {
    const value = at(owner.after, path);
    const attribute = attributeOf(path);
    if (text(value) !== undefined) {
      return this.withValue(value, known);
    }
    const named = new Set(this.named(owner, attribute).filter(({ row }) => row.role === role));
    if (named.size > 0 && this.isFollowed(owner, attribute)) {
      // Which of several it is, of a condition for example, only the apply tells.
      return onlyOne([...named]);
    }
    return before && madeAnew(before) ? before : undefined;
  }

  /** True where nothing in an expression leads to what is not known. */
  private isFollowed({ configured }: PlannedResource, attribute: string): boolean {
    return this.plan.references.unresolved(configured, attribute).length === 0;
  }

  private withValue(value: unknown, known: ReadonlyMap<string, PlannedResource>): PlannedResource | undefined {
    const pem = text(value);
    return pem === undefined ? undefined : known.get(pem.trim());
  }

  /** The resources that the code names in an attribute. */
  private named(resource: PlannedResource, attribute: string): PlannedResource[] {
    const references = this.plan.references.of(resource.configured, attribute);
    return references.flatMap((reference) => this.instance(reference, resource) ?? []);
  }

  /** The instance that a reference of a resource means: the one with the key that is written, with the same keys, or the only one. */
  private instance(
    { address, keys, isComputed }: ConfiguredReference,
    from: PlannedResource,
  ): PlannedResource | undefined {
    const all = this.instances.get(address) ?? [];
    if (all.length < 2) {
      return all[0];
    }
    if (isComputed) {
      return undefined;
    }
    let byKeys = this.byKeys.get(address);
    if (!byKeys) {
      byKeys = new Map(all.map((instance) => [unquoted(instance.keys), instance]));
      this.byKeys.set(address, byKeys);
    }
    const wanted = unquoted(keys ?? from.keys);
    return (
      byKeys.get(wanted) ?? (keys === undefined ? undefined : onlyOne(all.filter((one) => one.keys.endsWith(wanted))))
    );
  }

  private byValue(role: Role, attribute: string): Map<string, PlannedResource> {
    const found = new Map<string, PlannedResource>();
    for (const resource of this.withRole(role)) {
      for (const side of SIDES) {
        const value = text(resource[side]?.[attribute]);
        if (value !== undefined) {
          found.set(value.trim(), resource);
        }
      }
    }
    return found;
  }
}

/** The attribute that a path begins with. */
function attributeOf(path: string): string {
  return path.split(".", 1)[0]!;
}

function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const known = lists.get(key);
  if (known) {
    known.push(value);
  } else {
    lists.set(key, [value]);
  }
}

/** Types of a Secret before and after. */
function typesOfSecret(secret: PlannedResource): string[] {
  return SIDES.flatMap((side) => visible(secret, side, "type") ?? []);
}

function madeAnew({ change }: PlannedResource): boolean {
  return change === "create" || change === "replace";
}

function onlyOne<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/** `count` and `for_each` over a list of numbers name the same instances. */
function unquoted(keys: string): string {
  return keys.replace(/\["(\d+)"\]/g, "[$1]");
}
