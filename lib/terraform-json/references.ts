import { isObject, Json, list, object, text } from "./json";
import { resourceType } from "./resource-types";

/** What the expression of an attribute refers to. */
export interface ConfiguredReference {
  /** Address in the configuration, without keys of instances. */
  readonly address: string;
  /** Keys of the instance where the code writes them: `[0]`, `["cp-1"]`. */
  readonly keys?: string;
  /** True where the code works the key out from something else than the own key: nobody knows which instance it is. */
  readonly isComputed?: true;
  /** The first attribute that is read; missing where the whole resource is. */
  readonly attribute?: string;
}

/**
 * What refers to what in a configuration: also through variables and outputs of modules, `each.value`, and what a resource only
 * passes on. Local values are not in Terraform's JSON: what goes through one is not known here, and `unresolved` says so.
 */
export class References {
  private readonly resources: Resources = new Map();

  /** @param rootModule `configuration.root_module` of a plan */
  public constructor(rootModule: unknown) {
    this.addModule(new Module("", object(rootModule), this.resources));
  }

  /** True when the resource is in the code. */
  public has(configured: string): boolean {
    return this.resources.has(configured);
  }

  /** What an attribute of a resource refers to, each once; without a name, what any attribute does. */
  public of(configured: string, attribute = ""): readonly ConfiguredReference[] {
    return this.followed(configured, attribute).references;
  }

  /**
   * Names in the expression of an attribute, or on the way from there, that could not be followed to a resource, or not to a single
   * one: `local.keys`, `module.nodes.data.tls_certificate.x`, `each.value`. Keys, counts and paths are no such names: they hold nothing
   * of a resource.
   */
  public unresolved(configured: string, attribute = ""): readonly string[] {
    return this.followed(configured, attribute).unresolved;
  }

  private followed(configured: string, attribute: string): Followed {
    const expression = this.resources.get(configured)?.expression(attribute);
    return expression ? follow(expression) : NOTHING;
  }

  private addModule(module: Module): void {
    for (const resource of list(module.json.resources).map(object)) {
      const address = text(resource.address);
      if (address && resource.mode !== "data") {
        this.resources.set(module.prefix + address, new Configured(module, resource));
      }
    }
    module.children.forEach((child) => this.addModule(child));
  }
}

/** Resources by their address in the configuration. */
type Resources = Map<string, Configured>;

/** What an expression refers to, followed to its end. */
interface Followed {
  readonly references: readonly ConfiguredReference[];
  readonly unresolved: readonly string[];
}

const NOTHING: Followed = { references: [], unresolved: [] };

/** One name in an expression: it is a resource, or leads to other expressions, or to nothing that is known. */
interface Step {
  readonly reference?: ConfiguredReference;
  /** Keys of instances of the module that the expressions are in. */
  readonly instance?: Pick<ConfiguredReference, "keys" | "isComputed">;
  readonly expressions?: readonly Expression[];
  /** Which attribute of what the expressions are is read, where they are whole resources. */
  readonly attribute?: string;
  /** What is said where the name cannot be followed. */
  readonly name: string;
  /** True where the name means one of all that its expressions refer to, and nobody knows which. */
  readonly single?: boolean;
}

/** An expression of a configuration, and what was found of it. */
class Expression {
  public followed?: Followed;

  /**
   * @param module whose names it uses
   * @param each what the resource or the module that it stands in is repeated for
   */
  public constructor(
    private readonly module: Module,
    private readonly value: unknown,
    private readonly each?: Expression,
  ) {}

  public steps(): Step[] {
    const names = namesIn(this.value);
    const isComputed = names.some(
      ({ path: [first, second, third] }) =>
        CHOOSING.has(first) && second !== "key" && (first !== "module" || third !== undefined),
    );
    return names.flatMap(({ path, keys }) => {
      const [first, , third] = path;
      // Of what is chosen by a key that is worked out, Terraform names the whole resource or module alone.
      const isWhole = third === undefined || (first === "module" && path.length === 2);
      const instance = keys === "" ? (isComputed && isWhole ? ({ isComputed } as const) : undefined) : { keys };
      return this.module.step(path, this.each, instance) ?? [];
    });
  }
}

class Configured {
  private readonly known = new Map<string, Expression>();
  private each?: Expression;

  public constructor(
    private readonly module: Module,
    private readonly json: Json,
  ) {}

  /** Of one attribute; under no name, of all of them. */
  public expression(attribute: string): Expression {
    let found = this.known.get(attribute);
    if (!found) {
      const expressions = object(this.json.expressions);
      const value = attribute === "" ? expressions : expressions[attribute];
      this.each ??= eachOf(this.json, this.module);
      found = new Expression(this.module, value, this.each);
      this.known.set(attribute, found);
    }
    return found;
  }
}

class Module {
  public readonly children: ReadonlyMap<string, Module>;
  private readonly variables = new Map<string, Expression>();
  private readonly outputs = new Map<string, Expression>();

  public constructor(
    /** Empty, or `module.<name>.` for each module above. */
    public readonly prefix: string,
    public readonly json: Json,
    private readonly resources: Resources,
    private readonly caller?: { readonly module: Module; readonly call: Json; readonly each?: Expression },
  ) {
    this.children = new Map(
      Object.entries(object(json.module_calls)).map(([name, value]) => {
        const call = object(value);
        const caller = { module: this, call, each: eachOf(call, this) };
        return [name, new Module(`${prefix}module.${name}.`, object(call.module), resources, caller)];
      }),
    );
  }

  /** Where a name leads; undefined where it holds nothing of a resource. */
  public step(
    [first, second, third, fourth]: Path,
    each: Expression | undefined,
    instance: Step["instance"],
  ): Step | undefined {
    const name = `${this.prefix}${first}${second === undefined ? "" : `.${second}`}`;
    if (VALUES.has(first) || (first === "each" && second === "key")) {
      return undefined;
    }
    if (second === undefined || DEAD_ENDS.has(first)) {
      return { name: third !== undefined && WITH_TYPE.has(first) ? `${name}.${third}` : name };
    }
    switch (first) {
      case "each":
        return { name, attribute: third, single: true, expressions: each && [each] };
      case "var":
        return this.variable(name, second, third);
      case "module":
        return { ...this.outputsOf(name, second, third, fourth), instance };
      default:
        return this.resource(first, name, third, instance);
    }
  }

  /** What the module above sets a variable to. A default refers to nothing, and the root module's values come from outside. */
  private variable(name: string, variable: string, attribute: string | undefined): Step | undefined {
    if (!this.caller) {
      return undefined;
    }
    const { module, call, each } = this.caller;
    const value = object(call.expressions)[variable];
    const expression = remembered(this.variables, variable, () => new Expression(module, value, each));
    return { name, attribute, expressions: [expression] };
  }

  /** What an output of a module in here is made of. A name of the module alone means any of its outputs. */
  private outputsOf(called: string, child: string, output: string | undefined, attribute: string | undefined): Step {
    const module = this.children.get(child);
    const all = object(module?.json.outputs);
    const name = output === undefined ? called : `${called}.${output}`;
    if (!module || (output !== undefined && !isObject(all[output]))) {
      return { name };
    }
    const names = output === undefined ? Object.keys(all) : [output];
    const expressions = names.map((wanted) => {
      return remembered(module.outputs, wanted, () => new Expression(module, object(all[wanted]).expression));
    });
    return { name, attribute, expressions, single: output === undefined };
  }

  private resource(type: string, name: string, attribute: string | undefined, instance: Step["instance"]): Step {
    const { as, from } = resourceType(type)?.passedOn ?? {};
    const isPassedOn = attribute === undefined || attribute === as || attribute === from;
    const given = from !== undefined && isPassedOn ? this.resources.get(name)?.expression(from) : undefined;
    return { name, reference: { address: name, attribute, ...instance }, expressions: given && [given] };
  }
}

/** What a resource or a module is repeated for. */
function eachOf(repeated: Json, module: Module): Expression | undefined {
  return repeated.for_each_expression === undefined ? undefined : new Expression(module, repeated.for_each_expression);
}

function remembered(known: Map<string, Expression>, name: string, make: () => Expression): Expression {
  let found = known.get(name);
  if (!found) {
    found = make();
    known.set(name, found);
  }
  return found;
}

/** An expression that waits until those that it leads to are followed. */
interface Visit {
  readonly expression: Expression;
  readonly steps: readonly Step[];
  readonly ahead: readonly Expression[];
  next: number;
}

/** Follows an expression, and all that it leads to, once each: without recursion, since nobody knows how deep modules nest. */
function follow(start: Expression): Followed {
  if (start.followed) {
    return start.followed;
  }
  const first = start.steps();
  if (first.every(({ expressions }) => expressions === undefined)) {
    return (start.followed = conclude(first)); // As most are.
  }
  const entered = new Set<Expression>();
  const visits: Visit[] = [];
  const enter = (expression: Expression, steps = expression.steps()) => {
    entered.add(expression);
    visits.push({ expression, steps, ahead: steps.flatMap(({ expressions = [] }) => expressions), next: 0 });
  };
  enter(start, first);
  for (let visit = visits.at(-1); visit; visit = visits.at(-1)) {
    const ahead = visit.ahead[visit.next++];
    if (ahead === undefined) {
      visit.expression.followed = conclude(visit.steps);
      visits.pop();
    } else if (!ahead.followed && !entered.has(ahead)) {
      enter(ahead);
    }
  }
  return start.followed!;
}

/** What all steps lead to. */
function conclude(steps: readonly Step[]): Followed {
  const [first] = steps;
  if (!first) {
    return NOTHING;
  }
  if (steps.length === 1 && first.reference && !first.expressions) {
    return { references: [first.reference], unresolved: NOTHING.unresolved };
  }
  const references = new Map<string, ConfiguredReference>();
  const unresolved = new Set<string>();
  for (const { name, reference, expressions, attribute, single, instance } of steps) {
    const found = new Map<string, ConfiguredReference>();
    const add = (reference: ConfiguredReference) => found.set(keyOf(reference), reference);
    if (reference) {
      add(reference);
    }
    for (const { followed } of expressions ?? []) {
      followed?.references.forEach((inner) => add(within(inner, instance, attribute)));
      followed?.unresolved.forEach((inner) => unresolved.add(inner));
    }
    // What is not followed by now waits for this very expression: no valid configuration has such a cycle.
    const isFollowed = expressions ? expressions.every(({ followed }) => followed) : reference !== undefined;
    if (!isFollowed || (single && found.size > 1)) {
      unresolved.add(name);
    }
    found.forEach((inner, key) => references.set(key, inner));
  }
  return { references: [...references.values()], unresolved: [...unresolved] };
}

/** A reference as seen from outside of the module that it stands in. */
function within(
  inner: ConfiguredReference,
  { keys = "", isComputed = inner.isComputed }: NonNullable<Step["instance"]> = {},
  attribute: string | undefined,
): ConfiguredReference {
  const all = `${keys}${inner.keys ?? ""}`;
  return {
    address: inner.address,
    attribute: inner.attribute ?? attribute,
    ...(all === "" ? {} : { keys: all }),
    ...(isComputed ? { isComputed } : {}),
  };
}

function keyOf({ address, attribute = "", keys = "" }: ConfiguredReference): string {
  return `${address}${keys} ${attribute}`;
}

/** The first steps of a name: as many as tell an attribute of a resource in an output of a module. */
type Path = readonly [first: string, second?: string, third?: string, fourth?: string];

/** A name in an expression. */
interface Name {
  readonly path: Path;
  /** Keys that are written right after the name of a resource or a module. */
  readonly keys: string;
}

/** The names that an expression, or any expression in a block, refers to. */
function namesIn(expression: unknown): readonly Name[] {
  if (Array.isArray(expression)) {
    return expression.flatMap(namesIn);
  }
  if (!isObject(expression)) {
    return [];
  }
  const { references } = expression;
  return Array.isArray(references) ? mostPrecise(references) : Object.values(expression).flatMap(namesIn);
}

/** Names taken apart. */
function mostPrecise(references: readonly unknown[]): Name[] {
  const names: Name[] = [];
  let previous = "";
  for (const name of references) {
    if (typeof name === "string") {
      // Terraform lists `a.b.c` and then `a.b`, which says nothing more.
      const isSaid = previous.startsWith(name) && (previous[name.length] === "." || previous[name.length] === "[");
      if (!isSaid) {
        names.push(nameOf(name));
      }
      previous = name;
    }
  }
  return names;
}

function nameOf(name: string): Name {
  if (!name.includes("[")) {
    return { path: name.split(".", 4) as unknown as Path, keys: "" };
  }
  const [, keys = ""] = WRITTEN_KEYS.exec(name) ?? [];
  return { path: name.replace(INDEX, "").split(".", 4) as unknown as Path, keys };
}

const WRITTEN_KEYS = /^\w+\.[\w-]+(\[(?:\d+|"(?:[^"\\]|\\.)*")\])/;
const INDEX = /\[(?:"(?:[^"\\]|\\.)*"|[^\]["]*)\]/g;
/** Names of what holds nothing of a resource. */
const VALUES = new Set(["count", "path", "terraform", "tofu"]);
/** Names of what the configuration does not tell more of. */
const DEAD_ENDS = new Set(["local", "data", "ephemeral", "self"]);
/** Those of them that have a type before the name. */
const WITH_TYPE = new Set(["data", "ephemeral"]);
/** Names that may choose an instance; `each.key` is the own key. */
const CHOOSING = new Set(["each", "var", "local", "data", "module", "self"]);
