import { object, text } from "../../terraform-json/json";
import type { PlannedResource, Side } from "../../terraform-json/plan";
import { holdsPlaceholder, NOT_SHOWN, visible, visibleDatum } from "../read/visible";
import type { Facts } from "./facts";
import type { Identity } from "./identity";

/** Keys of a bootstrap token's Secret that are `"true"` where it may be used for that. */
const USAGE = /^usage-([a-z][a-z-]{0,60})$/;

/** What may be shown of a bootstrap token. Of a join password nothing is known. */
export function tokenFacts({ anchor }: Identity, side: Side): Pick<Facts, "groups" | "expires" | "usages"> {
  if (anchor.row.role !== "secret") {
    return {};
  }
  const groups = visibleDatum(anchor, side, "auth-extra-groups");
  const expires = visibleDatum(anchor, side, "expiration");
  return { groups: groups === undefined ? [] : groups.split(",").sort(), expires, usages: usagesOf(anchor, side) };
}

function usagesOf(secret: PlannedResource, side: Side): string[] {
  const data = Object.entries(object(secret[side]?.data));
  return data.flatMap(([key, value]) => (value === "true" ? (USAGE.exec(key)?.[1] ?? []) : [])).sort();
}

/** What of a bootstrap token cannot be read though it decides who it is, and until when. */
export function hiddenOfToken({ anchor, entry }: Identity): string[] {
  if (anchor.row.role !== "secret" || anchor.change === "none" || anchor.change === "forget" || !anchor.after) {
    return [];
  }
  const { after, unknown } = anchor;
  const later = object(unknown);
  // Kubernetes adds up both. What is written and never read back is in neither.
  const others = ["binary_data", "data_wo", "data_wo_revision"].filter(
    (name) => later[name] === true || Object.keys(object(after[name])).length > 0 || typeof after[name] === "number",
  );
  if (later.data === true || visible(anchor, "after", "type") === undefined) {
    return ["data", ...others];
  }
  const isUsageLater = Object.entries(object(later.data)).some(([key, value]) => value === true && USAGE.test(key));
  const groups = visibleDatum(anchor, "after", "auth-extra-groups") ?? "";
  const ends = visibleDatum(anchor, "after", "expiration") ?? "";
  const isLifeKnown = entry?.kind === "token" && entry.expireAfterHours !== undefined;
  return [
    ...(holdsPlaceholder(groups) ? ["data.auth-extra-groups"] : []),
    ...(isUsageLater ? ["data.usage-*"] : []),
    // What is new may end whenever the code says. What was there may not live longer from now on.
    ...(ends === NOT_SHOWN || (holdsPlaceholder(ends) && anchor.before && !isLifeKnown) ? ["data.expiration"] : []),
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
export function endOf({ anchor }: Identity, side: Side): number | undefined {
  return time(visibleDatum(anchor, side, "expiration"));
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
