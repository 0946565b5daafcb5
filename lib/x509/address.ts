import {
  TerraformDataSource,
  TerraformElement,
  TerraformLocal,
  TerraformOutput,
  TerraformResource,
  TerraformStack,
} from "cdktf";
import type { IConstruct } from "constructs";
import { Problems } from "../errors";

/** A value that stands in the Terraform state: an attribute of a resource with a pinned name. */
export interface Reference {
  /** `<type>.<name>`, e.g. `tls_private_key.prod__ca__kubernetes__g1`. */
  readonly address: string;
  /** Attribute, with dots for what is nested in it: `cert_pem`, `output.private_key_pem`. */
  readonly attribute: string;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const REGISTRY = Symbol.for("cdktf-kubernetes-pki/addresses");

/**
 * Gives a resource, data source, local or output the Terraform name that it keeps, wherever its construct stands in the tree: renaming or
 * wrapping a construct must never replace an authority. Call it directly after `new`, before an attribute is read.
 *
 * @returns the address, `<type>.<name>`, `data.` before it for a data source
 * @throws PkiError when the name is not a Terraform name, is taken in this stack, or comes too late
 */
export function pin(element: TerraformElement, name: string, prop = "address"): string {
  const path = element.node.path;
  const problems = new Problems();
  const address = `${typeOf(element)}.${name}`;
  const claims = claimsOf(TerraformStack.of(element));
  if (!NAME.test(name)) {
    problems.add({
      code: "address",
      at: prop,
      given: name,
      allowed: "letters, digits, '_' and '-', a letter first",
      fix: `choose another ${prop}`,
    });
  } else if (claims.has(address)) {
    problems.add({
      code: "address-taken",
      at: prop,
      given: name,
      allowed: `a name that ${claims.get(address)} does not have`,
      fix: `choose another ${prop}`,
    });
  }
  problems.throwIfAny(path);
  element.overrideLogicalId(name);
  // cdktf ignores an override after an attribute was read, and would then silently use a path hash.
  if (element.friendlyUniqueId !== name) {
    problems.add({
      code: "address-late",
      at: prop,
      given: element.friendlyUniqueId,
      allowed: name,
      fix: "pin the name before any attribute is read",
    });
    problems.throwIfAny(path);
  }
  claims.set(address, path);
  return address;
}

/** Finds a name that could not be part of a Terraform name; `.` and `_` are kept apart from it, so that no two things share one. */
export function checkNamePart(
  code: string,
  at: string,
  name: string,
  problems: Problems,
  fix = "choose such a name",
): void {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    problems.add({ code, at, given: name, allowed: "lower-case letters, digits and '-', a letter first", fix });
  }
}

/** Finds an address prefix that Terraform names could not start with. */
export function checkAddressPrefix(prefix: string, problems: Problems, at = "addressPrefix"): void {
  checkNamePart("address-prefix", at, prefix, problems, `set ${at} to such a name`);
}

/**
 * Reserves a whole prefix of names.
 *
 * @throws PkiError when another construct of the stack has the prefix
 */
export function claimPrefix(stack: TerraformStack, prefix: string, path: string): void {
  const claims = claimsOf(stack);
  const owner = claims.get(`prefix ${prefix}`);
  if (owner) {
    const problems = new Problems();
    problems.add({
      code: "address-prefix-taken",
      at: "addressPrefix",
      given: prefix,
      allowed: `a prefix that ${owner} does not have`,
      fix: "set addressPrefix",
    });
    problems.throwIfAny(path);
  }
  claims.set(`prefix ${prefix}`, path);
}

/** Blocks of Terraform that cdktf has no construct for, or whose constructs start terraform at synth. */
export type BlockType = "moved" | "import";

/** Adds one block. Each type is written to the stack once: a second `addOverride` would replace the first list. */
export function addBlock(stack: TerraformStack, type: BlockType, block: Record<string, string>): void {
  const blocks = stateOf(stack).blocks;
  const list = blocks.get(type) ?? [];
  if (list.length === 0) {
    blocks.set(type, list);
    stack.addOverride(type, list);
  }
  list.push(block);
}

interface StackState {
  readonly claims: Map<string, string>;
  readonly blocks: Map<BlockType, Record<string, string>[]>;
}

function stateOf(stack: TerraformStack): StackState {
  const holder = stack as TerraformStack & { [REGISTRY]?: StackState };
  if (!holder[REGISTRY]) {
    const claims = new Map<string, string>();
    holder[REGISTRY] = { claims, blocks: new Map() };
    stack.node.addValidation({ validate: () => strangers(stack, claims) });
  }
  return holder[REGISTRY]!;
}

function claimsOf(stack: TerraformStack): Map<string, string> {
  return stateOf(stack).claims;
}

/** Elements that nobody pinned here and that have a pinned name all the same: cdktf would merge the two without a word. */
function strangers(stack: TerraformStack, claims: ReadonlyMap<string, string>): string[] {
  return stack.node.findAll().flatMap((node) => {
    const address = addressOf(node);
    const owner = address === undefined ? undefined : claims.get(address);
    return owner === undefined || owner === node.node.path
      ? []
      : [
          `[address-taken] ${node.node.path}: given ${address}; allowed: a name that ${owner} does not have; fix: rename it`,
        ];
  });
}

/** The address that an element has, `<type>.<name>`; undefined for what is never pinned. Reading it fixes the name. */
export function addressOf(node: IConstruct): string | undefined {
  const type = TerraformElement.isTerraformElement(node) ? typeOf(node) : undefined;
  return type && `${type}.${(node as TerraformElement).friendlyUniqueId}`;
}

/** What stands before the name in an address; undefined for what is never pinned. */
function typeOf(element: TerraformElement): string | undefined {
  if (TerraformDataSource.isTerraformDataSource(element)) {
    return `data.${element.terraformResourceType}`;
  }
  if (TerraformResource.isTerraformResource(element)) {
    return element.terraformResourceType;
  }
  if (TerraformOutput.isTerraformOutput(element)) {
    return "output";
  }
  return element instanceof TerraformLocal ? "local" : undefined;
}
