import { Lazy, TerraformOutput, Token } from "cdktf";
import { Construct } from "constructs";
import { pin } from "../x509";
import { escaped } from "./content";
import type { FileMap, MachineFile } from "./holders";

/** Publishes the files of a part as the output `<prefix>_files`, from which `kubernetes-pki export` writes them. */
export function publishFiles(
  scope: Construct,
  prefix: string,
  files: Readonly<Record<string, readonly MachineFile[]>>,
): TerraformOutput {
  const value: FileMap = Object.fromEntries(
    Object.entries(files).map(([holder, list]) => [
      holder,
      Object.fromEntries(
        list.map(({ path, mode, owner, content }) => [path, { mode, owner, content: escaped(content) }]),
      ),
    ]),
  );
  const output = new TerraformOutput(scope, "Files", {
    // To prepare a stack cdktf resolves everything in it, only to find what comes from other stacks.
    value: Lazy.anyValue({ produce: ({ preparing }) => (preparing ? unresolvedTexts(value) : value) }),
    description: "Files of each machine, as references into this state",
  });
  pin(output, `${prefix}_files`, "addressPrefix");
  return output;
}

function unresolvedTexts(value: unknown): string[] {
  if (typeof value === "string") {
    return Token.isUnresolved(value) ? [value] : [];
  }
  return Object.values(value as object).flatMap(unresolvedTexts);
}
