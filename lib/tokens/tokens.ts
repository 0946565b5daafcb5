import { Json, object, text } from "../terraform-json/json";
import type { State } from "../terraform-json/state";

/** Rises when a reader of the last version would misread the JSON. */
export const TOKENS_SCHEMA_VERSION = 1;

/** A bootstrap token without its secret, in kubeadm's words. */
export interface TokenStatus {
  /** Address of its Secret. */
  readonly address: string;
  /** The token id, which is public: its user is `system:bootstrap:<id>`. */
  readonly id: string;
  /** What it is for; missing where nothing says it. */
  readonly description?: string;
  /** RFC 3339, as it stands in the Secret; missing where it has no end. */
  readonly expires?: string;
  /** Seconds that are left, negative after the end; missing where it has no end, or the API server cannot read it. */
  readonly ttl?: number;
  /** `authentication`, `signing`. Sorted. */
  readonly usages: readonly string[];
  /** Groups of whoever authenticates with it, beside `system:bootstrappers`. */
  readonly groups: readonly string[];
  /** True where the API server no longer takes it. */
  readonly expired: boolean;
}

/** Bootstrap tokens of states: the document that `-o json` prints. */
export interface Tokens {
  readonly schemaVersion: typeof TOKENS_SCHEMA_VERSION;
  /** Sorted by id, as kubeadm lists them. */
  readonly tokens: readonly TokenStatus[];
}

const TYPE = "bootstrap.kubernetes.io/token";
const USAGE = /^usage-bootstrap-(.+)$/;
const ID = /^[a-z0-9]{6}$/;

/** Reads the bootstrap tokens of states. What is secret of them is never looked at. */
export function tokensOf(states: readonly State[], now: Date): Tokens {
  const tokens = states.flatMap((state) =>
    state.addresses
      .filter((address) => state.values(address).type === TYPE)
      .map((address) => tokenOf(address, object(state.values(address).data), now)),
  );
  return {
    schemaVersion: TOKENS_SCHEMA_VERSION,
    tokens: tokens.sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id))),
  };
}

/** True where the API server no longer takes one of them. */
export function isAnyExpired({ tokens }: Tokens): boolean {
  return tokens.some(({ expired }) => expired);
}

function tokenOf(address: string, data: Json, now: Date): TokenStatus {
  const id = text(data["token-id"]) ?? "";
  const [description, expires] = [text(data.description), text(data.expiration)];
  const end = expires === undefined ? Infinity : timeOf(expires);
  const ttl = Math.trunc((end - now.getTime()) / 1000);
  return {
    address,
    // What has another form is none, and might be anything.
    id: ID.test(id) ? id : "<invalid>",
    ...(description === undefined ? {} : { description }),
    ...(expires === undefined ? {} : { expires: Number.isNaN(end) ? "<invalid>" : expires }),
    ...(Number.isFinite(ttl) ? { ttl } : {}),
    usages: usagesOf(data),
    groups: (text(data["auth-extra-groups"]) ?? "").split(",").filter((group) => group !== ""),
    // What the API server cannot read has ended, to it.
    expired: !(end > now.getTime()),
  };
}

/** As Go reads RFC 3339. */
function timeOf(time: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(time) ? Date.parse(time) : NaN;
}

function usagesOf(data: Json): string[] {
  return Object.entries(data)
    .flatMap(([key, value]) => (value === "true" ? (USAGE.exec(key)?.[1] ?? []) : []))
    .sort();
}
