import { IConstruct } from "constructs";

/** Prints what constructs warn of: cdktf itself shows it only in the manifest when the app is run directly. */
export function printWarnings(root: IConstruct): void {
  for (const node of root.node.findAll()) {
    for (const { type, data } of node.node.metadata) {
      if (type === "@cdktf/warn") {
        console.error(`warning: ${node.node.path}: ${data}`);
      }
    }
  }
}
