import { object, text } from "../../terraform-json/json";
import type { PlannedResource, Side } from "../../terraform-json/plan";
import { LATER } from "../read/inventory";
import { holdsPlaceholder, NOT_SHOWN, visibleDatum } from "../read/visible";
import type { Facts } from "./facts";
import type { Identity } from "./identity";

/** Keys of a bootstrap token's Secret that are `"true"` where it may be used for that. */
const USAGE = /^usage-([a-z][a-z-]{0,60})$/;

/**
 * What may be shown of a bootstrap token. Of a join password nothing is known. Where a part of a token is still to come, the provider
 * says that all of it is: then only the inventory tells.
 */
export function tokenFacts({ anchor, entry }: Identity, side: Side): Pick<Facts, "groups" | "expires" | "usages"> {
  if (anchor.row.role !== "secret") {
    return {};
  }
  const groups = visibleDatum(anchor, side, "auth-extra-groups");
  const expires = visibleDatum(anchor, side, "expiration");
  const isLater = side === "after" && isDataLater(anchor);
  const known = isLater && entry?.kind === "token" ? entry : undefined;
  return {
    groups: known ? sorted(known.groups) : groups === undefined ? [] : groups.split(",").sort(),
    usages: known?.usages ? sorted(known.usages) : isLater ? usagesLater(anchor) : usagesOf(anchor, side),
    expires: known?.expires === undefined ? expires : known.expires === NEVER ? undefined : known.expires,
  };
}

/** What an inventory says of a token without an end. */
const NEVER = "never";

/** Of what is new, nothing can be more than it was. */
function usagesLater({ before }: PlannedResource): string[] | undefined {
  return before ? [LATER] : undefined;
}

function isDataLater({ change, unknown }: PlannedResource): boolean {
  return change !== "none" && (unknown === true || object(unknown).data === true);
}

function usagesOf(secret: PlannedResource, side: Side): string[] {
  const data = Object.entries(object(secret[side]?.data));
  return data.flatMap(([key, value]) => (value === "true" ? (USAGE.exec(key)?.[1] ?? []) : [])).sort();
}

function sorted(words: readonly string[]): string[] {
  return [...words].sort();
}

/** What of a bootstrap token that exists cannot be read though it decides who it is, and until when. What is new widens nothing. */
export function hiddenOfToken({ anchor, entry }: Identity): string[] {
  const { change, before, after, unknown } = anchor;
  if (anchor.row.role !== "secret" || change === "none" || change === "forget" || !before || !after) {
    return [];
  }
  const later = object(unknown);
  // Kubernetes adds up both. What is written and never read back is in neither.
  const others = ["binary_data", "data_wo", "data_wo_revision"].filter(
    (name) => later[name] === true || Object.keys(object(after[name])).length > 0 || typeof after[name] === "number",
  );
  const known =
    entry?.kind === "token" && (entry.expireAfterHours ?? entry.expires) !== undefined && entry.usages !== undefined;
  if (isDataLater(anchor)) {
    return known ? others : ["data", ...others];
  }
  const groups = visibleDatum(anchor, "after", "auth-extra-groups") ?? "";
  const ends = visibleDatum(anchor, "after", "expiration") ?? "";
  const isUsageLater = Object.entries(object(later.data)).some(([key, value]) => value === true && USAGE.test(key));
  return [
    ...(holdsPlaceholder(groups) ? ["data.auth-extra-groups"] : []),
    ...(isUsageLater ? ["data.usage-*"] : []),
    ...(ends === NOT_SHOWN || (holdsPlaceholder(ends) && !known) ? ["data.expiration"] : []),
    ...others,
  ];
}

/** Hours from when a token is made until it ends; undefined where one of the two is not known. */
export function lifeOf(identity: Identity, side: Side): number | undefined {
  const { anchor, parts, entry } = identity;
  const [made, ends] = [madeAt(parts, side), time(visibleDatum(anchor, side, "expiration"))];
  if (made !== undefined && ends !== undefined) {
    return (ends - made) / 3_600_000;
  }
  return side === "after" && entry?.kind === "token" ? entry.expireAfterHours : undefined;
}

/** When a token ends, in milliseconds; undefined where that is not known. */
export function endOf(identity: Identity, side: Side): number | undefined {
  return time(tokenFacts(identity, side).expires);
}

/** Parts of a token are made anew when what they keep is another time: that of their rotation. */
function madeAt(parts: readonly PlannedResource[], side: Side): number | undefined {
  const kept = parts.flatMap((part) => Object.values(object(part[side]?.keepers)));
  const rotated = parts.filter(({ row }) => row.role === "rotation").map((part) => part[side]?.rfc3339);
  return [...kept, ...rotated].map((value) => time(text(value))).find((value) => value !== undefined);
}

function time(value: string | undefined): number | undefined {
  const milliseconds = value === undefined ? NaN : Date.parse(value);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
