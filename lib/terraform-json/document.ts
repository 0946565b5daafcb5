import { isDeeperThan, Json, MAX_NESTING, object, parseJson } from "./json";
import { UnusableError } from "./unusable";

/** What a document of `terraform show -json` is of. */
export type DocumentKind = "plan" | "state";

/** What to give where something else was given, and how each is made. */
const GIVE: Readonly<Record<DocumentKind, string>> = {
  plan: "give the output of `terraform show -json <plan>`",
  state: "give the stack's folder, or the output of `terraform show -json`",
};
const COMMANDS: Readonly<Record<DocumentKind, string>> = {
  plan: "the output of `terraform show -json <plan>`",
  state: "`terraform show -json` without the name of a plan",
};

/** Fields that a plan has and a state has not. */
const OF_A_PLAN = ["planned_values", "resource_changes", "output_changes", "configuration"];

/**
 * Reads the text of a document.
 *
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is no JSON, or not such a document
 */
export function parseDocument(text: string, origin: string, wanted: DocumentKind): Json {
  const document = parseJson(text);
  if (document === undefined) {
    throw new UnusableError(`${origin} is not JSON, or was cut short: ${GIVE[wanted]}`);
  }
  return checkedDocument(document, origin, wanted);
}

/**
 * The document where it is what is wanted, in format 1.x.
 *
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is something else
 */
export function checkedDocument(value: unknown, origin: string, wanted: DocumentKind): Json {
  const document = object(value);
  const version = document.format_version;
  const refuse = (what: string): never => {
    throw new UnusableError(`${origin} ${what}`);
  };
  if ("lineage" in document) {
    refuse(`is a raw state file: ${GIVE[wanted]}`);
  }
  if ("@level" in document) {
    refuse(`is the log of \`terraform plan -json\`: ${GIVE[wanted]}`);
  }
  if (typeof version !== "string") {
    return refuse(`is no ${wanted}: ${GIVE[wanted]}`);
  }
  const kind: DocumentKind = OF_A_PLAN.some((field) => field in document) ? "plan" : "state";
  if (kind !== wanted) {
    refuse(`is a ${kind}: give the ${wanted}, ${COMMANDS[wanted]}`);
  }
  if (!/^1\.\d+$/.test(version)) {
    const given = /^[\w.-]{1,20}$/.test(version) ? `"${version}"` : "of another kind";
    refuse(`has a format_version ${given}, and only 1.x is known here: update cdktf-kubernetes-pki`);
  }
  if (isDeeperThan(MAX_NESTING, document)) {
    refuse(`is nested deeper than ${MAX_NESTING} levels: ${GIVE[wanted]}`);
  }
  return document;
}
