import type { IConstruct } from "constructs";

/** How cdktf marks a warning in a construct's metadata. */
const WARNING = "@cdktf/warn";

/** Every warning of a tree of constructs, with the path of its construct, each once. */
export function warningsOf(root: IConstruct): string[] {
  const lines = root.node.findAll().flatMap(({ node }) =>
    node.metadata
      // An Aspect or another library may have put anything there.
      .filter(({ type, data }) => type === WARNING && typeof data === "string")
      .map(({ data }) => `warning: ${node.path}: ${String(data)}`),
  );
  return [...new Set(lines)];
}
