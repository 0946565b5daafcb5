import { TerraformProvider, Token, Tokenization } from "cdktf";
import { type Construct } from "constructs";
import { Problems, Words, wordsFor } from "../errors";
import { didYouMean } from "./closest";
import { checkCore } from "./core";

// What was written in YAML, in JavaScript or past a cast has whatever type it has. Each door looks at its props by a description that is
// data, and finds all that is wrong with their shape before anything reads them. What the values mean is looked at afterwards.

/** What a value has to look like. */
export interface Shape {
  /** In words: `a whole number`. */
  readonly allowed: string;
  /** How it is written: `add port: 6443`. */
  readonly example: string;
  /** True where a value that only Terraform knows passes, whatever its type: what reads it looks at it itself. */
  readonly passesUnresolved?: boolean;
  /** True where a message may show what was given: a name or a host, never what could be a secret. */
  readonly isShown?: boolean;
  /** True where text that looks like a token of cdktf's, and is none, is text like any other. */
  readonly isVerbatim?: boolean;
  /** Finds what is wrong with a value that is there. */
  readonly find: (value: unknown, at: string, problems: Problems) => void;
}

/** A field that may be left out. */
export interface OptionalShape {
  readonly optional: Shape;
}

/** Every prop of an interface with its shape: a prop without an entry does not compile, nor does one that is required here alone. */
export type Fields<P> = { readonly [K in keyof P]-?: object extends Pick<P, K> ? OptionalShape : Shape };

/** A field that may be left out. */
export function optional(shape: Shape): OptionalShape {
  return { optional: shape };
}

/**
 * Looks at what came through a public door.
 *
 * @param where the construct, or the function's name
 * @throws PkiError with every place whose shape is wrong
 */
export function checkShape(where: Construct | string, value: unknown, shape: Shape, at = "props"): void {
  if (typeof where !== "string") {
    checkCore(where);
  }
  const problems = new Problems();
  findWrong(shape, value, at, problems);
  problems.throwIfAny(typeof where === "string" ? where : where.node.path);
}

/** Looks at one argument of a function: the name of the function and of the argument say where it is. */
export function checkArgument(name: string, argument: string, value: unknown, shape: Shape): void {
  checkShape(name, value, shape, argument);
}

/** Where a field of a value stands. The props themselves have no name in the code. */
export function member(at: string, key: string): string {
  const isPlain = /^[\w-]{1,64}$/.test(key);
  if (at === "props") {
    return isPlain ? key : JSON.stringify(short(key));
  }
  return isPlain ? `${at}.${key}` : `${at}[${JSON.stringify(short(key))}]`;
}

function short(key: string): string {
  return key.length > 64 ? `${key.slice(0, 64)}…` : key;
}

/** How cdktf begins an element that stands for a whole list. */
const LIST_TOKEN = "#{TfToken[";
/** How cdktf writes a value into a string that it fills in at synth. */
const TOKEN = /\$\{TfToken\[[^\]]+\]\}/g;

function findWrong(shape: Shape, value: unknown, at: string, problems: Problems): void {
  if (value === undefined) {
    problems.add({
      code: "missing",
      at,
      given: new Words("nothing"),
      allowed: shape.allowed,
      fix: `write ${shape.example}`,
    });
  } else if (typeof value === "string" && isBrokenToken(value, shape)) {
    const allowed = "a token of cdktf's, whole, as it was made in this run";
    const fix = value.includes(LIST_TOKEN)
      ? "take single values out of a list that Terraform knows alone: Fn.element(list, 0)"
      : "write the token itself, or leave it out";
    problems.add({ code: "token-text", at, given: "text that looks like a token", allowed, fix });
  } else if (!(shape.passesUnresolved && Token.isUnresolved(value))) {
    shape.find(value, at, problems);
  }
}

/** True for text in which cdktf would look for a token that does not exist, or find a list where text has to be. */
function isBrokenToken(text: string, { isVerbatim, passesUnresolved }: Shape): boolean {
  if (isVerbatim || !text.includes("{TfToken[") || (passesUnresolved && text.includes(LIST_TOKEN))) {
    return false;
  }
  try {
    Tokenization.reverseString(text);
  } catch {
    return true;
  }
  return /[$#&]\{TfToken\[/.test(text.replace(TOKEN, ""));
}

/** Says that a value has another type. Of text it shows what cannot be a secret. */
function wrongType(shape: Omit<Shape, "find">, value: unknown, at: string, problems: Problems, fix?: string): void {
  const given = new Words(wordsFor(value, shape.isShown));
  const howTo = fix ?? (value === null ? `leave it out, or write ${shape.example}` : `write ${shape.example}`);
  problems.add({ code: "wrong-type", at, given, allowed: shape.allowed, fix: howTo });
}

/** A value that Terraform fills in, of a type that cannot be read there. */
function unresolvedKind(at: string, fix: string, problems: Problems, allowed: string): void {
  problems.add({ code: "unresolved-kind", at, given: "an unresolved value", allowed, fix });
}

function unresolved(at: string, fix: string, problems: Problems, allowed = "a value that is known at synth"): void {
  problems.add({ code: "unresolved", at, given: "an unresolved value", allowed, fix });
}

/** A name that is known at synth: no token. */
export function name(example: string, allowed = "text"): Shape {
  const shape = { allowed, example: JSON.stringify(example), isShown: true };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (Token.isUnresolved(value)) {
      unresolved(at, "write it in the code", problems);
    } else if (typeof value !== "string") {
      wrongType(shape, value, at, problems);
    } else if (value.includes("PRIVATE KEY-----")) {
      // What looks at names further on says which one was probably meant, with letters of this one.
      wrongType(shape, value, at, problems);
    }
  };
  return { ...shape, find };
}

/** The same where whoever reads it says itself what is wrong with a token that is text, beside what else is wrong. */
export function nameOrToken(example: string): Shape {
  const shape = name(example);
  const find = (value: unknown, at: string, problems: Problems) => {
    if (!(typeof value === "string" && Token.isUnresolved(value))) {
      shape.find(value, at, problems);
    }
  };
  return { ...shape, find };
}

/** Text that Terraform may know alone, as a token of cdktf's that is a string. Never shown: it could be anything. */
export function text(example: string, allowed = "text"): Shape {
  const shape = { allowed, example };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (typeof value === "string") {
      return;
    }
    if (Token.isUnresolved(value)) {
      unresolvedKind(at, "write Token.asString(value)", problems, `${allowed}, or a token that is text`);
    } else {
      wrongType(shape, value, at, problems);
    }
  };
  return { ...shape, find };
}

/** One line for people and for Kubernetes: text without what Terraform, YAML or a terminal would make something else of. */
export function plainText(example: string): Shape {
  const shape = text(JSON.stringify(example));
  const find = (value: unknown, at: string, problems: Problems) => {
    shape.find(value, at, problems);
    if (typeof value === "string") {
      checkPlainText(value, at, problems);
    }
  };
  return { ...shape, find };
}

const TEMPLATE = /[$%]\{/;
// eslint-disable-next-line no-control-regex -- these are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
// eslint-disable-next-line no-control-regex -- these are what it looks for
const CONTROL_IN_LINES = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/**
 * Finds what Terraform, YAML or a terminal would make something else of: control characters, halves of surrogate pairs, and the start
 * of a template. Tokens are none of these.
 *
 * @param lines whether it may have more than one line
 */
export function checkPlainText(value: string, at: string, problems: Problems, lines = false): void {
  const allowed =
    "text without control characters, halves of surrogate pairs, and the ${ and %{ of Terraform's templates";
  const control = (lines ? CONTROL_IN_LINES : CONTROL).exec(value)?.[0];
  const half = /\p{Surrogate}/u.exec(value)?.[0];
  const odd = control ?? half;
  if (odd !== undefined) {
    const code = odd.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    problems.add({ code: "plain-text", at, given: value, allowed, fix: `leave U+${code} out` });
  } else if (TEMPLATE.test(value) && TEMPLATE.test(value.replace(TOKEN, ""))) {
    const fix = "write the value itself, or a token of cdktf's, such as variable.stringValue";
    problems.add({ code: "plain-text", at, given: value, allowed, fix });
  }
}

/** A host: what it may be is looked at where hosts are, tokens of any type included. */
export function host(example: string, allowed: string): Shape {
  return { ...name(example, allowed), passesUnresolved: true };
}

/** Text of a set. */
export function oneOf(known: readonly string[]): Shape {
  const shape = { allowed: known.join(", "), example: JSON.stringify(known[0]), isShown: true };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (Token.isUnresolved(value)) {
      unresolved(at, "write it in the code", problems);
    } else if (typeof value !== "string") {
      wrongType(shape, value, at, problems);
    } else if (!known.includes(value)) {
      const fix = didYouMean(value, known) ?? "use one of these";
      problems.add({ code: "unknown-value", at, given: value, allowed: shape.allowed, fix });
    }
  };
  return { ...shape, find };
}

/** A number that is known at synth. Its range is looked at where it is used. */
export function number(example: number): Shape {
  const shape = { allowed: "a number", example: String(example), isShown: true };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (Token.isUnresolved(value)) {
      unresolved(at, "write it in the code", problems);
    } else if (typeof value === "string" && /^[0-9]{1,15}$/.test(value)) {
      wrongType(shape, value, at, problems, `write ${Number(value)}, without quotes`);
    } else if (typeof value !== "number" || !Number.isFinite(value)) {
      wrongType(shape, value, at, problems);
    }
  };
  return { ...shape, find };
}

/** `true` or `false`. */
export const flag: Shape = {
  allowed: "true or false",
  example: "true or false",
  find(value, at, problems) {
    if (Token.isUnresolved(value)) {
      unresolved(at, "write it in the code", problems);
    } else if (typeof value !== "boolean") {
      wrongType(this, value, at, problems, "write true or false");
    }
  },
};

/** A list of things of one shape. */
export function list(of: Shape): Shape {
  const { isShown } = of;
  const shape = { allowed: "a list", example: `[${of.example}]`, isShown };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (Array.isArray(value) && Token.isUnresolved(value)) {
      unresolved(at, "write the list in the code", problems, "a list that is known at synth");
    } else if (Token.isUnresolved(value)) {
      unresolvedKind(at, "write [value]: how many there are has to be known at synth", problems, shape.allowed);
    } else if (!Array.isArray(value)) {
      const isHost = isShown && typeof value === "string" && /^[\w.:*-]{1,64}$/.test(value);
      wrongType(shape, value, at, problems, isHost ? `write [${JSON.stringify(value)}]` : undefined);
    } else {
      // Not forEach, which leaves out what nothing was written for.
      for (let index = 0; index < value.length; index++) {
        findWrong(of, value[index], `${at}[${index}]`, problems);
      }
    }
  };
  return { ...shape, find };
}

/** A list of hosts. A list that Terraform knows alone is looked at where hosts are, but one text for a list is none. */
export function hosts(of: Shape): Shape {
  const shape = list(of);
  const { find } = shape;
  return {
    ...shape,
    passesUnresolved: false,
    find: (value, at, problems) => {
      if (typeof value === "string" || !Token.isUnresolved(value)) {
        find(value, at, problems);
      }
    },
  };
}

/** Things of one shape by names that the user gives. */
export function record(
  key: string,
  of: Shape,
  checkKey: (key: string, at: string, problems: Problems) => void = () => undefined,
): Shape {
  const shape = { allowed: "an object", example: `{ ${key}: ${of.example} }` };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (Token.isUnresolved(value) || !isPlain(value)) {
      refuseObject(shape, value, at, problems);
      return;
    }
    for (const own of Object.keys(value).sort()) {
      const here = member(at, own);
      checkKey(own, here, problems);
      findWrong(of, value[own], here, problems);
    }
  };
  return { ...shape, find };
}

/**
 * An object with these fields and no others.
 *
 * @param others fields that stand in such an object too, and that others read; `any` where what else stands there is looked at elsewhere
 */
export function fields(
  described: Readonly<Record<string, Shape | OptionalShape>>,
  others: readonly string[] | "any" = [],
): Shape {
  const known = Object.keys(described);
  const shape = { allowed: `an object with ${known.join(", ")}`, example: exampleOf(described) };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || Token.isUnresolved(value)) {
      refuseObject(shape, value, at, problems);
      return;
    }
    for (const key of known) {
      findField(described[key]!, (value as Record<string, unknown>)[key], key, at, problems);
    }
    // What a class of the user's own has beside them is its own affair.
    for (const key of others !== "any" && isPlain(value) ? Object.keys(value) : []) {
      if (!known.includes(key) && !others.includes(key) && value[key as keyof typeof value] !== undefined) {
        refuseKey(key, known, at, problems);
      }
    }
  };
  return { ...shape, find };
}

function findField(field: Shape | OptionalShape, value: unknown, key: string, of: string, problems: Problems): void {
  const isOptional = "optional" in field;
  if (value !== undefined) {
    findWrong(isOptional ? field.optional : field, value, member(of, key), problems);
  } else if (!isOptional) {
    const { allowed, example } = field;
    const given = new Words("nothing");
    problems.add({ code: "missing", at: member(of, key), given, allowed, fix: `add ${key}: ${example}` });
  }
}

function refuseKey(key: string, known: readonly string[], at: string, problems: Problems): void {
  const allowed = known.length > 0 ? known.join(", ") : "nothing more";
  const fix = didYouMean(key, known) ?? "leave it out: nothing here would read it";
  problems.add({ code: "unknown-key", at: member(at, key), given: short(key), allowed, fix });
}

function refuseObject(shape: Omit<Shape, "find">, value: unknown, at: string, problems: Problems): void {
  if (Token.isUnresolved(value)) {
    unresolvedKind(at, "write the object in the code; single values in it may be tokens", problems, shape.allowed);
  } else {
    wrongType(shape, value, at, problems);
  }
}

function exampleOf(described: Readonly<Record<string, Shape | OptionalShape>>): string {
  const required = Object.entries(described).flatMap(([key, field]) =>
    "optional" in field ? [] : [`${key}: ${field.example}`],
  );
  return required.length > 0 ? `{ ${required.join(", ")} }` : "{ … }";
}

/** An object whose kind stands in one of its fields, with the other fields of each kind. */
export function tagged(
  tag: string,
  kinds: Readonly<Record<string, Readonly<Record<string, Shape | OptionalShape>>>>,
): Shape {
  const kind = oneOf(Object.keys(kinds));
  const shape = { allowed: `an object with ${tag}: ${kind.allowed}`, example: `{ ${tag}: ${kind.example} }` };
  const find = (value: unknown, at: string, problems: Problems) => {
    const given = (value as Readonly<Record<string, unknown>> | null)?.[tag];
    const isKnown = typeof given === "string" && Object.hasOwn(kinds, given);
    const known = isKnown ? { [tag]: kind, ...kinds[given] } : { [tag]: kind };
    if (typeof value !== "object" || value === null || Array.isArray(value) || Token.isUnresolved(value)) {
      refuseObject(shape, value, at, problems);
    } else if (isKnown) {
      fields(known).find(value, at, problems);
    } else {
      findField(kind, given, tag, at, problems);
    }
  };
  return { ...shape, find };
}

/** Whatever one of several shapes takes: which one is told by its type. */
export function either(
  allowed: string,
  example: string,
  choose: (value: unknown) => Shape | undefined,
  isShown = false,
): Shape {
  const shape = { allowed, example, isShown };
  const find = (value: unknown, at: string, problems: Problems) => {
    const chosen = choose(value);
    if (chosen) {
      findWrong(chosen, value, at, problems);
    } else if (Token.isUnresolved(value)) {
      unresolvedKind(at, `write ${example}`, problems, allowed);
    } else {
      wrongType(shape, value, at, problems);
    }
  };
  return { ...shape, find };
}

/** Something of a class: what only the class can make. */
export function made(by: string, example: string, isOne: (value: object) => boolean): Shape {
  const shape = { allowed: by, example };
  const find = (value: unknown, at: string, problems: Problems) => {
    if (typeof value === "object" && value !== null && isOne(value)) {
      return;
    }
    if (Token.isUnresolved(value)) {
      unresolved(at, `write ${example}`, problems, by);
    } else {
      wrongType(shape, value, at, problems);
    }
  };
  return { ...shape, find };
}

/** An instance of a class, of this copy of the package or another. */
export function instanceOf(type: { readonly name: string; readonly prototype: object }, example: string): Shape {
  const article = /^[AEIOU]/.test(type.name) ? "an" : "a";
  return made(`${article} ${type.name}`, example, (value) => {
    const isOwn = Object.getPrototypeOf(value) === type.prototype;
    return isOwn || prototypesOf(value).some((prototype) => nameOf(prototype) === type.name);
  });
}

function prototypesOf(value: object): object[] {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null ? [] : [prototype, ...prototypesOf(prototype)];
}

function nameOf(prototype: object): unknown {
  return (Object.getOwnPropertyDescriptor(prototype, "constructor")?.value as { readonly name?: unknown } | undefined)
    ?.name;
}

/** A provider of Terraform's. */
export const provider: Shape = made(
  "a TerraformProvider",
  "the provider's construct, such as new TlsProvider(…)",
  (value) => TerraformProvider.isTerraformProvider(value),
);

/** An object that was written as one, of this realm or another. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
