import { CliError } from "../cli/io";
import type { Reference } from "../terraform/reference";

/** A state as `terraform show -json` prints it: its outputs, and the attributes of its resources. */
export class State {
  /**
   * @param origin where it came from, as the user named it
   * @param outputs values of the outputs
   * @param resources attributes by address, resources of child modules included
   */
  public constructor(
    public readonly origin: string,
    public readonly outputs: ReadonlyMap<string, unknown>,
    private readonly resources: ReadonlyMap<string, unknown>,
  ) {}

  /** Addresses of all resources. */
  public get addresses(): string[] {
    return [...this.resources.keys()];
  }

  /** The text that a reference stands for; undefined where the state has none. */
  public value({ address, attribute }: Reference): string | undefined {
    const path = attribute.split(".");
    const value = path.reduce<unknown>((at, key) => fields(at).get(key), this.resources.get(address));
    return typeof value === "string" ? value : undefined;
  }
}

/**
 * Reads the output of `terraform show -json`, format 1.x. Fields that are not known are left alone.
 *
 * @param origin where it came from, as the user named it
 * @throws CliError when it is something else, or a state without anything in it
 */
export function parseState(text: string, origin: string): State {
  const shown = fields(parseJson(text, origin));
  checkFormat(shown, origin);
  const values = fields(shown.get("values"));
  const outputs = new Map(
    [...fields(values.get("outputs"))].map(([name, output]) => [name, fields(output).get("value")]),
  );
  const resources = new Map(resourcesOf(values.get("root_module")));
  if (outputs.size === 0 && resources.size === 0) {
    throw new CliError(`the state of ${origin} is empty: deploy the stack first (cdktf deploy)`);
  }
  return new State(origin, outputs, resources);
}

/** The fields of an object, elements of an array by index, nothing for all else. */
export function fields(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the error, which may be a key.
    throw new CliError(`${origin} is not JSON: give a stack's folder, or the output of \`terraform show -json\``);
  }
}

function checkFormat(shown: ReadonlyMap<string, unknown>, origin: string): void {
  const version = shown.get("format_version");
  if (shown.has("lineage")) {
    throw new CliError(
      `${origin} is a raw state file: give the stack's folder, or the output of \`terraform show -json\``,
    );
  }
  if (typeof version !== "string") {
    throw new CliError(`${origin} is not the output of \`terraform show -json\`: give that, or a stack's folder`);
  }
  if (!/^1\.\d+$/.test(version)) {
    const given = JSON.stringify(version.slice(0, 20));
    throw new CliError(
      `${origin} has format_version ${given}, and only 1.x is known here: update cdktf-kubernetes-pki`,
    );
  }
  if (shown.has("planned_values")) {
    throw new CliError(`${origin} is a plan: give the state, \`terraform show -json\` without the name of a plan`);
  }
}

/** Resources of a module and of all modules in it. */
function resourcesOf(module: unknown): [string, unknown][] {
  const { resources, child_modules: children } = Object.fromEntries(fields(module));
  const own = [...fields(resources).values()].map(fields);
  // A deposed object waits to be destroyed after an interrupted replacement, at the address of what took its place.
  const current = own.filter((resource) => !resource.has("deposed_key"));
  return [
    ...current.map((resource): [string, unknown] => [String(resource.get("address")), resource.get("values")]),
    ...[...fields(children).values()].flatMap(resourcesOf),
  ];
}
