import { App, TerraformStack } from "cdktf";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkShape, made } from "../terraform/shape";
import { inventoryOf } from "./collect";
import { INVENTORY_FILE } from "../inventory-schema";
import { warningsOf } from "./warnings";

const APP = made("an App", "the app", (value) => "manifest" in value && "outdir" in value && "node" in value);

/**
 * Writes the inventory of every stack of an app that has one, as `pki-inventory.json` beside its `cdk.tf.json`. Call it after
 * `app.synth()`. Public: it names secrets and never holds one.
 *
 * Prints the warnings of every construct of the app to standard error: cdktf shows them where its own command synthesizes, and not where
 * the program is run by itself.
 *
 * @returns the files that were written
 * @throws PkiError when it is no app
 * @see kubernetes-pki plan, which reads it
 */
export function writeInventories(app: App): string[] {
  checkShape("writeInventories", app, APP, "app");
  warningsOf(app).forEach((warning) => console.error(warning));
  return app.node
    .findAll()
    .filter((node): node is TerraformStack => TerraformStack.isStack(node))
    .map((stack) => ({ stack, inventory: inventoryOf(stack) }))
    .filter(({ inventory }) => inventory.entries.length > 0)
    .map(({ stack, inventory }) => {
      const { synthesizedStackPath } = app.manifest.forStack(stack);
      const file = join(app.outdir, dirname(synthesizedStackPath), INVENTORY_FILE);
      writeFileSync(file, `${JSON.stringify(inventory, null, 2)}\n`);
      return file;
    });
}
