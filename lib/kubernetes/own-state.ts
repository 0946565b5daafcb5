import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { problemText } from "../errors";
import { addressOf } from "../terraform/address";
import type { Content } from "./content";
import { referencesIn } from "./content-readers";

/** What contents are made of and the construct's own stack does not have. */
export function referencesElsewhere(construct: Construct, contents: readonly Content[]): string[] {
  const stack = TerraformStack.of(construct);
  const known = new Set(stack.node.findAll().map(addressOf));
  const used = contents.flatMap(referencesIn).map(({ address }) => address.replace(/\[0\]$/, ""));
  return [...new Set(used)]
    .filter((address) => !known.has(address))
    .map((given) =>
      problemText({
        code: "other-stack",
        at: construct.node.path,
        given,
        allowed: `what stack ${stack.node.id} has`,
        fix: "make it in the stack of the files, since no private key goes through an output",
      }),
    );
}
