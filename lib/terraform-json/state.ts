import type { Reference } from "../terraform/reference";
import { parseDocument } from "./document";
import { at, Json, list, object, text } from "./json";
import { UnusableError } from "./unusable";

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

  /** The attributes of a resource. */
  public values(address: string): Json {
    return object(this.resources.get(address));
  }

  /** The text that a reference stands for; undefined where the state has none. */
  public value({ address, attribute }: Reference): string | undefined {
    const value = at(this.resources.get(address), attribute);
    return typeof value === "string" ? value : undefined;
  }
}

/**
 * Reads the output of `terraform show -json`, format 1.x. Fields that are not known are left alone.
 *
 * @param origin where it came from, as the user named it
 * @throws UnusableError when it is something else, or a state without anything in it
 */
export function parseState(text: string, origin: string): State {
  const values = object(parseDocument(text, origin, "state").values);
  const outputs = new Map(
    Object.entries(object(values.outputs)).map(([name, output]) => [name, object(output).value] as const),
  );
  const resources = new Map(resourcesOf(values.root_module));
  if (outputs.size === 0 && resources.size === 0) {
    throw new UnusableError(`the state of ${origin} is empty: deploy the stack first (cdktf deploy)`);
  }
  return new State(origin, outputs, resources);
}

/** Resources of a module and of all modules in it. */
function resourcesOf(module: unknown): [string, unknown][] {
  const { resources, child_modules: children } = object(module);
  // A deposed object waits to be destroyed after an interrupted replacement, at the address of what took its place.
  const current = list(resources)
    .map(object)
    .filter((resource) => !("deposed_key" in resource));
  return [
    ...current.map((resource): [string, unknown] => [text(resource.address) ?? "no address", resource.values]),
    ...list(children).flatMap(resourcesOf),
  ];
}
