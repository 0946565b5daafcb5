import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { refuseUnsigned } from "../x509/unsigned";
import { closed, escapeTemplate, normalised, quoted } from "../terraform/expression";
import { expression, operand, type Reference } from "../terraform/reference";
import type { Content, CredentialFile, DatedContent, KubeconfigContent } from "./content";
import { isFile, kubeconfigText } from "./kubeconfig";

/** What is made of one content: Terraform's function, and the same here. */
const FUNCTIONS = {
  base64: { terraform: "base64encode", make: (text: string) => Buffer.from(text).toString("base64") },
  base64gzip: { terraform: "base64gzip", make: (text: string) => gzipSync(text).toString("base64") },
  sha256: { terraform: "sha256", make: (text: string) => createHash("sha256").update(text).digest("hex") },
} as const;

type FunctionName = keyof typeof FUNCTIONS;

const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** One case of {@link Content} each. */
interface Cases<T> {
  readonly text: (text: string) => T;
  readonly reference: (reference: Reference) => T;
  readonly row: (contents: readonly Content[]) => T;
  readonly made: (by: FunctionName, of: Content) => T;
  readonly later: (first: DatedContent, second: DatedContent) => T;
  readonly unsigned: (name: string) => T;
}

function read<T>(content: Content, { text, reference, row, made, later, unsigned }: Cases<T>): T {
  if (typeof content === "string") {
    return text(content);
  }
  if ("concat" in content) {
    return row(content.concat);
  }
  if ("kubeconfig" in content) {
    return row(kubeconfigText(content.kubeconfig));
  }
  if ("later" in content) {
    return later(...content.later);
  }
  if ("unsigned" in content) {
    return unsigned(content.unsigned);
  }
  const by = FUNCTION_NAMES.find((name) => name in content);
  return by ? made(by, (content as Record<FunctionName, Content>)[by]) : reference(content as Reference);
}

/** The content as a Terraform template, valid inside the stack that owns what it refers to. Sensitive where it refers to a key. */
export function toTerraform(content: Content): string {
  return template(content, (text) => escapeTemplate(normalised(text)));
}

/**
 * Fills the content in.
 *
 * @param lookup finds the value of a reference; throws when there is none
 */
export function evaluate(content: Content, lookup: (reference: Reference) => string): string {
  return read(content, {
    text: normalised,
    reference: lookup,
    row: (contents) => normalised(contents.map((part) => evaluate(part, lookup)).join("")),
    made: (by, of) => FUNCTIONS[by].make(evaluate(of, lookup)),
    later: (first, second) => {
      const [a, b] = [first, second].map(({ madeAt }) => Date.parse(lookup(madeAt))) as [number, number];
      return evaluate((a >= b ? first : second).content, lookup);
    },
    unsigned: (name) => refuseUnsigned("content", name),
  });
}

/** Every value of the state that stands in the content, in order. */
export function referencesIn(content: Content): Reference[] {
  return read<Reference[]>(content, {
    text: () => [],
    reference: (reference) => [reference],
    row: (contents) => contents.flatMap(referencesIn),
    made: (_, of) => referencesIn(of),
    later: (...both) => both.flatMap(({ madeAt, content }) => [madeAt, ...referencesIn(content)]),
    unsigned: () => [],
  });
}

/** The certificates that the content lacks because they are signed elsewhere and not back yet, by the names of their requests. */
export function unsignedIn(content: Content): string[] {
  return read<string[]>(content, {
    text: () => [],
    reference: () => [],
    row: (contents) => contents.flatMap(unsignedIn),
    made: (_, of) => unsignedIn(of),
    later: (...both) => both.flatMap(({ content }) => unsignedIn(content)),
    unsigned: (name) => [name],
  });
}

function template(content: Content, text: (literal: string) => string): string {
  return read(content, {
    text,
    reference: expression,
    row: (contents) => {
      const parts = contents.map((part) => template(part, text));
      return [...parts.slice(0, -1).map(closed), ...parts.slice(-1)].join("");
    },
    made: (by, of) => `\${${FUNCTIONS[by].terraform}(${toOperand(of)})}`,
    later: (first, second) => {
      const isFirst = `timecmp(${operand(first.madeAt)}, ${operand(second.madeAt)}) >= 0`;
      return `\${${isFirst} ? ${toOperand(first.content)} : ${toOperand(second.content)}}`;
    },
    unsigned: (name) => refuseUnsigned("content", name),
  });
}

/** The content where an expression stands already, e.g. as an argument. */
export function toOperand(content: Content): string {
  return typeof content !== "string" && "address" in content
    ? operand(content)
    : `"${template(content, (text) => quoted(normalised(text)).slice(1, -1))}"`;
}

/** Content as it is published: a reference is one text, `{ "ref": "<type>.<name>.<attribute>" }`. */
export function published(content: Content): unknown {
  if (typeof content === "string") {
    return content;
  }
  if ("address" in content) {
    return { ref: operand(content) };
  }
  if ("kubeconfig" in content) {
    return { kubeconfig: publishedKubeconfig(content.kubeconfig) };
  }
  if ("unsigned" in content) {
    return content;
  }
  if ("later" in content) {
    const dated = ({ madeAt, content }: DatedContent) => ({ madeAt: operand(madeAt), content: published(content) });
    return { later: content.later.map(dated) };
  }
  const [[kind, inner]] = Object.entries(content) as [[string, Content | readonly Content[]]];
  return { [kind]: Array.isArray(inner) ? inner.map(published) : published(inner as Content) };
}

/**
 * Reads what {@link published} wrote.
 *
 * @returns undefined where it is something else: nothing of it is guessed
 */
export function readPublished(value: unknown): Content | undefined {
  try {
    return contentOf(value);
  } catch (error) {
    if (error instanceof NoContent) {
      return undefined;
    }
    throw error;
  }
}

/** What is read is no content. */
class NoContent extends Error {}

/** Nothing that is written here nests as deep. */
const MAX_DEPTH = 16;

function contentOf(value: unknown, depth = 0): Content {
  if (typeof value === "string") {
    return value;
  }
  const [[kind, inner] = [], more] = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (kind === undefined || more !== undefined || depth > MAX_DEPTH) {
    throw new NoContent();
  }
  const parse = (part: unknown) => contentOf(part, depth + 1);
  if (kind === "ref") {
    return referenceOf(inner);
  }
  if (kind === "concat" && Array.isArray(inner)) {
    return { concat: inner.map(parse) };
  }
  if (kind === "kubeconfig") {
    return { kubeconfig: kubeconfigOf(inner, parse) };
  }
  if (kind === "later") {
    return { later: laterOf(inner, parse) };
  }
  if (kind === "unsigned" && typeof inner === "string") {
    return { unsigned: inner };
  }
  const by = FUNCTION_NAMES.find((name) => name === kind);
  if (by === undefined) {
    throw new NoContent();
  }
  return { [by]: parse(inner) } as Content;
}

function laterOf(value: unknown, parse: (part: unknown) => Content): [DatedContent, DatedContent] {
  const dated = (part: unknown): DatedContent => {
    const { madeAt, content, ...more } = typeof part === "object" ? ({ ...part } as Record<string, unknown>) : {};
    if (Object.keys(more).length > 0) {
      throw new NoContent();
    }
    return { madeAt: referenceOf(madeAt), content: parse(content) };
  };
  const [first, second, third] = Array.isArray(value) ? (value as unknown[]) : [];
  if (third !== undefined) {
    throw new NoContent();
  }
  return [dated(first), dated(second)];
}

function referenceOf(text: unknown): Reference {
  const [, address, attribute] =
    (typeof text === "string" && /^([\w-]+\.[\w-]+(?:\[0\])?)\.([\w.-]+)$/.exec(text)) || [];
  if (address === undefined || attribute === undefined) {
    throw new NoContent();
  }
  return { address, attribute };
}

/** What stands in a file of its own; undefined where it is PEM. */
function fileOf(value: unknown): CredentialFile | undefined {
  const { file, ...more } = typeof value === "object" ? ({ ...value } as Record<string, unknown>) : {};
  return typeof file === "string" && Object.keys(more).length === 0 ? { file } : undefined;
}

function publishedKubeconfig({ certificateAuthority, credentials, ...texts }: KubeconfigContent) {
  return { ...texts, ca: publishedPem(certificateAuthority), ...publishedCredentials(credentials) };
}

function publishedCredentials(credentials: KubeconfigContent["credentials"]) {
  if ("exec" in credentials) {
    return credentials;
  }
  return "token" in credentials
    ? { token: published(credentials.token) }
    : { certificate: publishedPem(credentials.certificate), key: publishedPem(credentials.privateKey) };
}

function publishedPem(pem: Content | CredentialFile): unknown {
  return isFile(pem) ? pem : published(pem);
}

function kubeconfigOf(value: unknown, parse: (part: unknown) => Content): KubeconfigContent {
  const fields = (value ?? {}) as Record<string, unknown>;
  const { cluster, server, user, context, ca } = fields;
  const isText = (field: unknown): field is string => typeof field === "string";
  if (!isText(cluster) || !isText(server) || !isText(user) || !(context === undefined || isText(context))) {
    throw new NoContent();
  }
  const pem = (part: unknown) => fileOf(part) ?? parse(part);
  const texts = { cluster, server, user, ...(context === undefined ? {} : { context }) };
  return { ...texts, certificateAuthority: pem(ca), credentials: credentialsOf(fields, parse, pem) };
}

function credentialsOf(
  { exec, token, certificate, key }: Record<string, unknown>,
  parse: (part: unknown) => Content,
  pem: (part: unknown) => Content | CredentialFile,
): KubeconfigContent["credentials"] {
  if (typeof exec === "string") {
    return { exec };
  }
  return token === undefined ? { certificate: pem(certificate), privateKey: pem(key) } : { token: parse(token) };
}
