import type { InventoryEntry } from "../read/inventory";
import { holdsPlaceholder } from "../read/visible";
import { Facts, factsOf } from "./facts";
import { exists, Identity } from "./identity";
import { isChanged, PlanModel } from "./model";

/** Something that both an inventory and a planned resource say. */
interface Comparison {
  readonly what: string;
  /** Undefined where the inventory does not say it. */
  readonly there: (entry: InventoryEntry) => Said;
  /** Undefined where the plan does not say it. */
  readonly here: (facts: Facts) => Said;
}

type Said = string | number | readonly string[] | undefined;

/** The inventory's words for the provider's; those of keys go without saying there. */
const USAGES: Readonly<Record<string, string>> = { server_auth: "server", client_auth: "client" };
const UNSAID: ReadonlySet<string> = new Set(["digital_signature", "key_encipherment"]);

const COMPARISONS: readonly Comparison[] = [
  { what: "subject", there: (entry) => field(entry, "subject"), here: ({ subject }) => subject },
  {
    what: "usages",
    there: (entry) => usagesOf(field(entry, "usage")),
    here: ({ usages }) => usages?.filter((usage) => !UNSAID.has(usage)).map((usage) => USAGES[usage] ?? usage),
  },
  {
    what: "names",
    there: (entry) => (entry.kind === "certificate" ? field(entry, "sans") : undefined),
    // The inventory has no URIs.
    here: ({ sans }) => sans?.filter((name) => !name.includes("://")),
  },
  { what: "key", there: (entry) => field(entry, "keyAlgorithm"), here: ({ keyAlgorithm }) => keyAlgorithm },
  { what: "hours", there: (entry) => field(entry, "validityHours"), here: ({ validityHours }) => validityHours },
  {
    what: "hours of early renewal",
    there: (entry) => field(entry, "earlyRenewalHours"),
    here: ({ earlyRenewalHours }) => earlyRenewalHours,
  },
  { what: "role", there: (entry) => field(entry, "role"), here: ({ role }) => role },
  { what: "subjects", there: (entry) => field(entry, "subjects"), here: ({ subjects }) => subjects },
];

/** What inventories say of things that the plan changes, and the planned resources say otherwise; and things that they do not have. */
export function contradictingFacts(model: PlanModel): string[] {
  const clusters = new Set(
    model.entries.inventories.flatMap(({ entries }) => entries.flatMap(({ cluster }) => cluster ?? [])),
  );
  return model.identities.filter(isPlanned).flatMap((identity) => {
    const { entry, name, kind } = identity;
    if (!entry) {
      return isInventoried(kind) && clusters.has(name.cluster ?? "")
        ? [`${model.title(identity)} is missing there, and in the plan`]
        : [];
    }
    const facts = factsOf(identity, "after", model);
    return facts ? differencesOf(entry, facts).map((text) => `${model.title(identity)} ${text}`) : [];
  });
}

/** True for what is, after the plan, as the code says it: what nothing happens to may be as it always was. */
function isPlanned(identity: Identity): boolean {
  return exists(identity, "after") && identity.parts.every(({ planned }) => planned) && identity.parts.some(isChanged);
}

function isInventoried(kind: Identity["kind"]): boolean {
  return kind === "certificate" || kind === "token" || kind === "binding";
}

function differencesOf(entry: InventoryEntry, facts: Facts): string[] {
  return COMPARISONS.flatMap(({ what, there, here }) => {
    const [first, second] = [written(there(entry)), written(here(facts))];
    if (first === undefined || second === undefined || first === second || holdsPlaceholder(first + second)) {
      return [];
    }
    return [`has the ${what} ${first || "none"} there, and ${second || "none"} in the plan`];
  });
}

/** Lists are equal in any order. */
function written(said: Said): string | undefined {
  return typeof said === "object"
    ? [...new Set(said)].sort().join(", ")
    : said === undefined
      ? undefined
      : String(said);
}

function usagesOf(said: Said): Said {
  return typeof said === "string" ? said.split(", ").filter(Boolean) : undefined;
}

type Field =
  "subject" | "usage" | "sans" | "keyAlgorithm" | "validityHours" | "earlyRenewalHours" | "role" | "subjects";

/** A field of those entries that have it. */
function field(entry: InventoryEntry, name: Field): Said {
  const fields: { readonly kind: string } & Readonly<Partial<Record<Field, Said>>> = entry;
  return fields[name];
}
