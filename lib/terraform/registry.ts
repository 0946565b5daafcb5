import { TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { Problems, problemText } from "../errors";
import { addressOf } from "./address";

const REGISTRY = Symbol.for("cdktf-kubernetes-pki/registry");
const LOOKED_AT = Symbol.for("cdktf-kubernetes-pki/stack-ids");

/** Blocks of Terraform that cdktf has no construct for, or whose constructs start terraform at synth. */
export type BlockType = "moved" | "import";

/** What this library knows of a stack, once for all its constructs. */
interface Registry {
  /** Path of the construct that has a pinned address, or a prefix. */
  readonly owners: Map<string, string>;
  readonly blocks: Map<BlockType, Record<string, string>[]>;
}

function registryOf(stack: TerraformStack): Registry {
  const holder = stack as TerraformStack & { [REGISTRY]?: Registry };
  if (!holder[REGISTRY]) {
    const owners = new Map<string, string>();
    holder[REGISTRY] = { owners, blocks: new Map() };
    stack.node.addValidation({ validate: () => duplicateAddresses(stack, owners) });
    // Once for the app, by the first of its stacks: it may have a hundred thousand constructs.
    const root = stack.node.root as IConstruct & { [LOOKED_AT]?: true };
    if (!root[LOOKED_AT]) {
      root[LOOKED_AT] = true;
      stack.node.addValidation({ validate: () => duplicateIds(root) });
    }
  }
  return holder[REGISTRY]!;
}

/** Path of the construct that has an address already. */
export function ownerOf(stack: TerraformStack, address: string): string | undefined {
  return registryOf(stack).owners.get(address);
}

/** Notes that a construct has an address. */
export function claim(stack: TerraformStack, address: string, path: string): void {
  registryOf(stack).owners.set(address, path);
}

/** Adds a validation of the whole stack, once however many constructs of a kind want it. */
export function validateOnce(stack: TerraformStack, kind: string, validate: (stack: TerraformStack) => string[]): void {
  const { owners } = registryOf(stack);
  if (!owners.has(`validation ${kind}`)) {
    owners.set(`validation ${kind}`, stack.node.path);
    stack.node.addValidation({ validate: () => validate(stack) });
  }
}

/**
 * Reserves a whole prefix of names for one kind of construct.
 *
 * @throws PkiError when another construct of the kind has the prefix in this stack
 */
export function claimPrefix(stack: TerraformStack, kind: string, prefix: string, path: string): void {
  const owner = ownerOf(stack, `${kind} ${prefix}`);
  if (owner !== undefined) {
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
  claim(stack, `${kind} ${prefix}`, path);
}

/** Adds one block. Each type is written to the stack once: a second `addOverride` would replace the first list. */
export function addBlock(stack: TerraformStack, type: BlockType, block: Record<string, string>): void {
  const { blocks } = registryOf(stack);
  const list = blocks.get(type) ?? [];
  if (list.length === 0) {
    blocks.set(type, list);
    stack.addOverride(type, list);
  }
  list.push(block);
}

/** Elements that nobody pinned here and that have a pinned name all the same: cdktf would merge the two without a word. */
function duplicateAddresses(stack: TerraformStack, owners: ReadonlyMap<string, string>): string[] {
  return stack.node.findAll().flatMap((node) => {
    const address = addressOf(node);
    const owner = address === undefined ? undefined : owners.get(address);
    const allowed = `a name that ${owner} does not have`;
    return owner === undefined || owner === node.node.path
      ? []
      : [problemText({ code: "address-taken", at: node.node.path, given: address, allowed, fix: "rename it" })];
  });
}

/** Stacks with one id in different places of the tree, of which one is ours: cdktf writes them into one folder, the last over the others. */
function duplicateIds(root: IConstruct): string[] {
  const stacks = root.node.findAll().filter((node): node is TerraformStack => TerraformStack.isStack(node));
  const firsts = new Map<string, TerraformStack>();
  return stacks.flatMap((stack) => {
    const { id: given, path: at } = stack.node;
    const first = firsts.get(given);
    firsts.set(given, first ?? stack);
    if (first === undefined || ![first, stack].some((each) => REGISTRY in each)) {
      return [];
    }
    const allowed = `an id that ${first.node.path} does not have: cdktf writes both stacks into one folder, the second over the first`;
    return [problemText({ code: "stack-id-taken", at, given, allowed, fix: "give it another id" })];
  });
}
