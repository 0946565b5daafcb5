import { filesOutput } from "../terraform/names";
import { IResolvable, Lazy, TerraformOutput, Token } from "cdktf";
import { Construct } from "constructs";
import { escaped } from "./content";
import type { FileMap, ClusterFile } from "./holders";
import { pin } from "../terraform/pin";

/** The output from which `kubernetes-pki export` writes files. */
export class FilesOutput extends TerraformOutput {
  public constructor(
    scope: Construct,
    id: string,
    /** By holder. */
    public readonly files: Readonly<Record<string, readonly ClusterFile[]>>,
  ) {
    const value: FileMap = Object.fromEntries(
      Object.entries(files).map(([holder, list]) => [
        holder,
        Object.fromEntries(
          list.map(({ path, mode, owner, content }) => [path, { mode, owner, content: escaped(content) }]),
        ),
      ]),
    );
    super(scope, id, {
      value: resolvedOnce(value),
      description: "Files of each machine, as references into this state",
    });
  }
}

/** Publishes the files of a part as the output `<prefix>_files`. */
export function publishFiles(
  scope: Construct,
  prefix: string,
  files: Readonly<Record<string, readonly ClusterFile[]>>,
): FilesOutput {
  const output = new FilesOutput(scope, "Files", files);
  pin(output, filesOutput(prefix), "addressPrefix");
  return output;
}

/** A large value of an output. To prepare a stack cdktf resolves everything in it, only to find what comes from other stacks. */
export function resolvedOnce(value: unknown): IResolvable {
  return Lazy.anyValue({ produce: ({ preparing }) => (preparing ? unresolvedTexts(value) : value) });
}

function unresolvedTexts(value: unknown): string[] {
  if (typeof value === "string") {
    return Token.isUnresolved(value) ? [value] : [];
  }
  return Object.values(value as object).flatMap(unresolvedTexts);
}
