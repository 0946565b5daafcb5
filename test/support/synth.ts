import { App, LocalBackend, TerraformOutput, TerraformStack, Testing } from "cdktf";
import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { tmpdir } from "node:os";
import path from "node:path";
import { PkiError, Problem } from "../../lib";

/* eslint-disable @typescript-eslint/no-explicit-any -- tests look anywhere into the JSON */

/** The stack's `cdk.tf.json`, parsed. As `app.synth()` does and `Testing.synth` does not, it runs all validations. */
export function synth(stack: TerraformStack): any {
  stack.prepareStack();
  stack.runAllValidations();
  return JSON.parse(JSON.stringify(stack.toTerraform()));
}

/** The same without the metadata that cdktf writes under `//`. */
export function terraformOf(stack: TerraformStack): any {
  return withoutMetadata(synth(stack));
}

/** `cdk.tf.json` of every stack of an app, by name: what crosses stacks is known only after all were prepared. */
export function synthApp(app: App): Record<string, any> {
  const stacks = app.node.children.filter((child): child is TerraformStack => TerraformStack.isStack(child));
  stacks.forEach((stack) => stack.prepareStack());
  return Object.fromEntries(stacks.map((stack) => [stack.node.id, terraformOf(stack)]));
}

/** A value as it is written, its tokens resolved in the stack. */
export function resolved(stack: TerraformStack, value: unknown): any {
  const id = `resolved-${stack.node.children.length}`;
  new TerraformOutput(stack, id, { value });
  return terraformOf(stack).output[id].value;
}

/** An app for tests. All share one empty output folder: cdktf would make a new one for each, and leave it. */
export function newApp(): App {
  return Testing.app({ outdir: path.join(tmpdir(), "cdktf-kubernetes-pki-tests") });
}

/** A stack as a user makes it, in an app of its own. */
export function newStack(id = "prod-pki", app = newApp()): TerraformStack {
  const stack = new TerraformStack(app, id);
  new LocalBackend(stack, { path: `../../../${id}.tfstate` });
  new TlsProvider(stack, "tls");
  return stack;
}

/** The problems of the PkiError that is thrown; fails when none is. */
export function problemsOf(act: () => unknown): readonly Problem[] {
  return errorOf(act).problems;
}

/** The PkiError that is thrown; fails when none is. */
export function errorOf(act: () => unknown): PkiError {
  try {
    act();
  } catch (error) {
    if (error instanceof PkiError) {
      return error;
    }
    throw error;
  }
  throw new Error("no PkiError was thrown");
}

/** What the stack's validations find, without cdktf's words around it. */
export function validationsOf(stack: TerraformStack): string[] {
  stack.prepareStack();
  return stack.node.findAll().flatMap((node) => node.node.validate());
}

function withoutMetadata(value: any): any {
  if (Array.isArray(value)) {
    return value.map(withoutMetadata);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const entries = Object.entries(value).filter(([key]) => key !== "//");
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutMetadata(inner)]));
}
