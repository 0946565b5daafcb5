import { isObject, Json, list, object, text } from "./json";

/** What the expression of an attribute refers to. */
export interface ConfiguredReference {
  /** Address in the configuration, without keys of instances. */
  readonly address: string;
  /** Keys of the instance where the code writes them: `[0]`, `["cp-1"]`; missing where it does not, or works them out. */
  readonly keys?: string;
  /** The first attribute that is read; missing where the whole resource is. */
  readonly attribute?: string;
}

/** Modules nest a handful deep; a cycle of variables and outputs is no valid configuration. */
const MAX_DEPTH = 32;

/**
 * What refers to what in a configuration, also through variables and outputs of modules. Local values are not in Terraform's JSON:
 * what goes through one is not known here.
 */
export class References {
  private readonly resources = new Map<string, Configured>();

  public constructor(rootModule: unknown) {
    this.addModule(new Module("", object(rootModule)));
  }

  /** True when the resource is in the code. */
  public has(configured: string): boolean {
    return this.resources.has(configured);
  }

  /** What an attribute of a resource refers to; without a name, what any attribute does. */
  public of(configured: string, attribute = ""): readonly ConfiguredReference[] {
    const resource = this.resources.get(configured);
    if (!resource) {
      return [];
    }
    const { module, expressions, known } = resource;
    let found = known.get(attribute);
    if (!found) {
      const names = namesIn(attribute === "" ? expressions : expressions[attribute]);
      found = names.flatMap((name) => resolve(name, module, MAX_DEPTH));
      known.set(attribute, found);
    }
    return found;
  }

  private addModule(module: Module): void {
    for (const resource of list(module.json.resources).map(object)) {
      const address = text(resource.address);
      if (address && resource.mode !== "data") {
        this.resources.set(module.prefix + address, {
          module,
          expressions: object(resource.expressions),
          known: new Map(),
        });
      }
    }
    module.children.forEach((child) => this.addModule(child));
  }
}

interface Configured {
  readonly module: Module;
  readonly expressions: Json;
  /** What its attributes refer to, as far as somebody asked; under no name, what all of them do. */
  readonly known: Map<string, readonly ConfiguredReference[]>;
}

class Module {
  public readonly children: ReadonlyMap<string, Module>;

  public constructor(
    /** Empty, or `module.<name>.` for each module above. */
    public readonly prefix: string,
    public readonly json: Json,
    private readonly parent?: { readonly module: Module; readonly call: Json },
  ) {
    this.children = new Map(
      Object.entries(object(json.module_calls)).map(([name, value]) => {
        const call = object(value);
        return [name, new Module(`${prefix}module.${name}.`, object(call.module), { module: this, call })];
      }),
    );
  }

  /** What a variable of this module is set to. */
  public variable(name: string, depth: number): ConfiguredReference[] {
    if (!this.parent) {
      return [];
    }
    const { module, call } = this.parent;
    return namesIn(object(call.expressions)[name]).flatMap((reference) => resolve(reference, module, depth));
  }

  /** What an output of a module in here is made of. */
  public output(child: string, name: string, depth: number): ConfiguredReference[] {
    const module = this.children.get(child);
    const output = object(object(module?.json.outputs)[name]);
    return module ? namesIn(output.expression).flatMap((reference) => resolve(reference, module, depth)) : [];
  }
}

/** The names that an expression, or any expression in a block, refers to: the most precise of each. */
function namesIn(expression: unknown): string[] {
  if (Array.isArray(expression)) {
    return expression.flatMap(namesIn);
  }
  if (!isObject(expression)) {
    return [];
  }
  const { references } = expression;
  if (Array.isArray(references)) {
    // Terraform lists `a.b.c` and then `a.b`, which says nothing more.
    const names = references.filter((name) => typeof name === "string");
    return names.filter((name) => !names.some((other) => other.startsWith(`${name}.`) || other.startsWith(`${name}[`)));
  }
  return Object.values(expression).flatMap(namesIn);
}

function resolve(reference: string, module: Module, depth: number): ConfiguredReference[] {
  const path = reference.includes("[") ? reference.replace(INDEX, "") : reference;
  const [first, second, third] = path.split(".");
  if (!second || depth === 0 || NOT_RESOURCES.has(first!)) {
    return [];
  }
  if (first === "var") {
    return module.variable(second, depth - 1);
  }
  const [, keys = ""] = WRITTEN_KEYS.exec(reference) ?? [];
  if (first === "module") {
    const found = third === undefined ? [] : module.output(second, third, depth - 1);
    return keys === "" ? found : found.map((one) => ({ ...one, keys: `${keys}${one.keys ?? ""}` }));
  }
  return [{ address: `${module.prefix}${first}.${second}`, ...(keys === "" ? {} : { keys }), attribute: third }];
}

/** The key of an instance, right after its name. */
const WRITTEN_KEYS = /^\w+\.[\w-]+(\[(?:\d+|"(?:[^"\\]|\\.)*")\])/;

const INDEX = /\[(?:\d+|"(?:[^"\\]|\\.)*"|[^\]]*)\]/g;
const NOT_RESOURCES = new Set(["local", "data", "each", "count", "path", "self", "terraform"]);
