import type { Command } from "commander";
import { printableJson } from "../terraform-json/escape";
import { readStates } from "../terraform-json/sources";
import { UnusableError } from "../terraform-json/unusable";
import { tokensText } from "../tokens/text";
import { isAnyExpired, tokensOf } from "../tokens/tokens";
import type { Io, SetExitCode } from "./io";
import { formatOption } from "./options";

interface Options {
  readonly format: "text" | "json";
}

const NOTES = `
Each STATE is a stack's folder, in which \`terraform show -json\` is run (or what
TERRAFORM_BINARY_NAME says), a file with the output of that command, or - for
stdin. What is listed is what kubeadm token list prints, with the id in place of
the token: the secret of a token is never printed. It is what the state says. The
token cleaner of kube-controller-manager removes what has ended, and the next
apply makes another one of what is rotated.

Exit codes:
  0  the API server takes all tokens
  3  one has ended
  1  an error: no tokens, or no folder or state that can be read

Examples:
  kubernetes-pki tokens cdktf.out/stacks/prod-access
  terraform show -json | kubernetes-pki tokens - -o json`;

/** Adds the command that lists bootstrap tokens. */
export function addTokens(program: Command, io: Io, setExitCode: SetExitCode): void {
  program
    .command("tokens")
    .description("List the bootstrap tokens of states, without what is secret of them.")
    .argument("[STATE...]", "stack folders, files or - (default: the current folder)")
    .addOption(formatOption("text", "json"))
    .addHelpText("after", NOTES)
    .action(async (sources: string[], { format }: Options) => {
      const tokens = tokensOf(await readStates(sources.length > 0 ? sources : ["."], io), io.now?.() ?? new Date());
      if (tokens.tokens.length === 0) {
        const where = sources.join(", ") || "the current folder";
        throw new UnusableError(`no bootstrap tokens in ${where}: name the stack of a ClusterAccess`);
      }
      io.stdout.write(format === "json" ? printableJson(tokens) : tokensText(tokens));
      setExitCode(isAnyExpired(tokens) ? 3 : 0);
    });
}
