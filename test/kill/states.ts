import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";

// What a state file says, read with node:crypto alone: nothing of the library has a say in what is right here.

/** An object in a state file. */
export interface Held {
  readonly address: string;
  readonly isKey: boolean;
  /** Tells it from another at the same address: a hash of a key or a request, a certificate's serial number. */
  readonly id: string;
  /** Hash of the public key, where it has one. */
  readonly publicKey?: string;
  readonly certificate?: X509Certificate;
  /** Terraform has made another one in its place and not yet destroyed this one. */
  readonly isDeposed: boolean;
  /** It was made, and Terraform does not trust it to be whole. */
  readonly isTainted: boolean;
}

interface Instance {
  readonly deposed?: string;
  readonly status?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface StateFile {
  readonly resources?: readonly {
    readonly mode: string;
    readonly type: string;
    readonly name: string;
    readonly instances: readonly Instance[];
  }[];
}

/** What a state holds; undefined where it is no state, as after a write that was cut short. */
export function heldIn(text: string): Held[] | undefined {
  if (text.trim() === "") {
    return undefined;
  }
  try {
    const { resources = [] } = JSON.parse(text) as StateFile;
    return resources
      .filter(({ mode }) => mode === "managed")
      .flatMap(({ type, name, instances }) => instances.map((instance) => held(`${type}.${name}`, instance)));
  } catch {
    return undefined;
  }
}

function held(address: string, { deposed, status, attributes }: Instance): Held {
  const common = { address, isDeposed: deposed !== undefined, isTainted: status === "tainted" };
  const { private_key_pem: key, cert_pem: certificate, cert_request_pem: request } = attributes;
  if (typeof certificate === "string") {
    const read = new X509Certificate(certificate);
    return {
      ...common,
      isKey: false,
      id: read.serialNumber,
      publicKey: hash(read.publicKey.export({ type: "spki", format: "der" })),
      certificate: read,
    };
  }
  if (address.startsWith("tls_private_key.")) {
    const spki = createPublicKey(createPrivateKey(String(key))).export({ type: "spki", format: "der" });
    return { ...common, isKey: true, id: hash(String(key)), publicKey: hash(spki) };
  }
  return { ...common, isKey: false, id: hash(String(request ?? JSON.stringify(attributes))) };
}

function hash(value: string | Buffer): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

/** What was to happen, and what did. */
export interface Course {
  /** Before the step. */
  readonly before: readonly Held[];
  /** Addresses that the plan of the step replaces or deletes; all others of `before` have to stay as they are. */
  readonly touched: ReadonlySet<string>;
  /** The same step, when nobody killed it. */
  readonly undisturbed: readonly Held[];
  /** Every state from the kill to the end that held anything, in their order. */
  readonly versions: readonly (readonly Held[])[];
  /** Index of the first version after one was restored from a backup: what came before it is given up, on purpose. */
  readonly restoredAt: number;
}

/** What is wrong in the end; nothing where all is as it should be. */
export function faultsOf({ before, touched, undisturbed, versions, restoredAt }: Course): string[] {
  const final = versions.at(-1)!;
  const kept = versions.slice(restoredAt);
  return [
    ...final.filter(({ isDeposed }) => isDeposed).map(({ address }) => `${address} is still deposed`),
    ...final.filter(({ isTainted }) => isTainted).map(({ address }) => `${address} is tainted`),
    ...differences(addresses(undisturbed), addresses(final)),
    ...changed(before, final, touched),
    ...kept.flatMap(withoutKey),
    ...withoutIssuer(final, undisturbed),
    ...issuedTwice([before, ...kept], touched),
  ];
}

function addresses(state: readonly Held[]): string[] {
  return state.map(({ address }) => address).sort();
}

function differences(expected: readonly string[], found: readonly string[]): string[] {
  return [
    ...expected.filter((address) => !found.includes(address)).map((address) => `${address} is missing`),
    ...found.filter((address) => !expected.includes(address)).map((address) => `${address} should not be there`),
  ];
}

/** What the plan leaves alone is what it was. */
function changed(before: readonly Held[], final: readonly Held[], touched: ReadonlySet<string>): string[] {
  const found = new Map(final.map((one) => [one.address, one.id]));
  return before
    .filter(({ address, id }) => !touched.has(address) && found.get(address) !== id)
    .map(({ address }) => `${address} is another one, or gone`);
}

/** Certificates of which nobody has the key any more. */
function withoutKey(state: readonly Held[]): string[] {
  const keys = new Set(state.filter(({ isKey }) => isKey).map(({ publicKey }) => publicKey));
  return state
    .filter(({ certificate, publicKey }) => certificate && !keys.has(publicKey))
    .map(({ address }) => `${address} has lost its key`);
}

/** Each is signed by whom an undisturbed apply has it signed by, and that authority is there. */
function withoutIssuer(final: readonly Held[], undisturbed: readonly Held[]): string[] {
  const authorities = final.flatMap(({ certificate }) => (certificate?.ca ? [certificate] : []));
  const issuers = new Map(undisturbed.map(({ address, certificate }) => [address, certificate?.issuer]));
  return final.flatMap(({ address, certificate }) => {
    if (!certificate) {
      return [];
    }
    const signed = authorities.some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
    return signed && certificate.issuer === issuers.get(address) ? [] : [`${address} is signed by another authority`];
  });
}

/** Of what was ever saved: at most one beside the one that the step replaces. */
function issuedTwice(states: readonly (readonly Held[])[], touched: ReadonlySet<string>): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { address, id } of states.flat()) {
    ids.set(address, (ids.get(address) ?? new Set()).add(id));
  }
  return [...ids]
    .filter(([address, all]) => all.size > (touched.has(address) ? 2 : 1))
    .map(([address, all]) => `${address} was saved as ${all.size} different ones`);
}
