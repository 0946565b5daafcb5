import type { IResolvable } from "cdktf";

/**
 * A value that is made when cdktf asks for it, after Aspects ran. cdktf's own `Lazy` notes where it was made, which costs more than a
 * certificate does.
 *
 * @param produce is asked twice: to prepare the stack, when only what comes from other stacks is looked for, and for the JSON
 */
export function deferred(produce: (preparing: boolean) => unknown): IResolvable {
  return {
    creationStack: [],
    resolve: ({ preparing }) => produce(preparing) as never,
    toString: () => "a value that is made at synth",
  };
}
