import { TerraformElement, TerraformStack } from "cdktf";
import { Problems } from "../errors";
import { typeOf } from "./address";
import { claim, ownerOf } from "./registry";

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

/**
 * Gives a resource, data source, local or output the Terraform name that it keeps, wherever its construct stands in the tree: renaming or
 * wrapping a construct must never replace an authority. Call it directly after `new`, before an attribute is read.
 *
 * @returns the address, `<type>.<name>`, `data.` before it for a data source
 * @throws PkiError when the name is not a Terraform name, is taken in this stack, or comes too late
 */
export function pin(element: TerraformElement, name: string, at = "address"): string {
  const path = element.node.path;
  const stack = TerraformStack.of(element);
  const address = `${typeOf(element)}.${name}`;
  const owner = ownerOf(stack, address);
  const problems = new Problems();
  const fix = `choose another ${at}`;
  if (!NAME.test(name)) {
    const allowed = "letters, digits, '_' and '-', a letter first";
    problems.add({ code: "address", at, given: name, allowed, fix });
  } else if (owner !== undefined) {
    problems.add({ code: "address-taken", at, given: name, allowed: `a name that ${owner} does not have`, fix });
  }
  problems.throwIfAny(path);
  element.overrideLogicalId(name);
  // cdktf ignores an override after an attribute was read, and would then silently use a path hash.
  if (element.friendlyUniqueId !== name) {
    problems.add({
      code: "address-late",
      at,
      given: element.friendlyUniqueId,
      allowed: name,
      fix: "pin the name before any attribute is read",
    });
    problems.throwIfAny(path);
  }
  claim(stack, address, path);
  return address;
}
