import { PemContent, readPem } from "./pem";

/** PEM in a field of a kubeconfig. */
export interface EmbeddedPem {
  readonly field: "client-certificate-data" | "certificate-authority-data" | "client-key-data";
  /** Undefined where the field has something, and that is no base64 of PEM. */
  readonly content: PemContent | undefined;
}

/** A user of a kubeconfig, as far as it has a certificate. */
export interface KubeconfigUser {
  readonly certificate: PemContent;
  /** Undefined where it has none. */
  readonly key: PemContent | undefined;
  /** Whether its key is said to be in a file. */
  readonly hasKeyFile: boolean;
}

/** What a kubeconfig holds of PEM. */
export interface KubeconfigContent {
  readonly embedded: readonly EmbeddedPem[];
  readonly users: readonly KubeconfigUser[];
  /** Whether it has a list of users at all, which every kubeconfig has, as its last part mostly. */
  readonly hasUsers: boolean;
}

const FIELDS = ["client-certificate-data", "certificate-authority-data", "client-key-data"] as const;
/** The beginning of a user, a key in a file, or a field with its value: a block of lines, or one that is quoted or not. */
const MARK = new RegExp(
  "\\b(?:(user|client-key)[\"']?[ \\t]*:|" +
    `(${FIELDS.join("|")})["']?[ \\t]*:[ \\t]*` +
    "(?:[|>][-+]?[ \\t]*\\r?\\n((?:[ \\t]+[A-Za-z0-9+/=]+[ \\t]*(?:\\r?\\n|$))+)" +
    "|\"([^\"\\n]*)\"|'([^'\\n]*)'|((?! #)[^\\n,}]*?)(?= #|[\\r\\n,}]|$)))",
  "g",
);
const COMMENT = /^[ \t]*#.*$/gm;
/** Of a template, and of `kubectl config view`. */
const PLACEHOLDER = /^(\{\{.*|\$[{(].*|\$\w+|<.*>|)$/;

/**
 * Reads what stands in the fields of a kubeconfig, YAML or JSON.
 *
 * @param mayBeTemplate whether a field may have a placeholder, or nothing
 */
export function readKubeconfig(text: string, mayBeTemplate: boolean): KubeconfigContent {
  const groups: EmbeddedPem[][] = [[]];
  const withKeyFile = new Set<EmbeddedPem[]>();
  for (const [, mark, named, block, double, single, bare] of text.replace(COMMENT, "").matchAll(MARK)) {
    const field = FIELDS.find((name) => name === named);
    const value = (block?.replace(/\s/g, "") ?? double ?? single ?? bare ?? "").trim();
    if (mark === "user") {
      groups.push([]);
    } else if (mark === "client-key") {
      withKeyFile.add(groups.at(-1)!);
    } else if (field !== undefined && !(mayBeTemplate && PLACEHOLDER.test(value))) {
      groups.at(-1)!.push({ field, content: decode(value) });
    }
  }
  return {
    embedded: groups.flat(),
    users: groups.flatMap((group) => userOf(group, withKeyFile.has(group))),
    hasUsers: /\busers["']?\s*:/.test(text),
  };
}

function userOf(group: readonly EmbeddedPem[], hasKeyFile: boolean): KubeconfigUser[] {
  const of = (name: EmbeddedPem["field"]) => group.find(({ field }) => field === name);
  const certificate = of("client-certificate-data")?.content;
  const key = of("client-key-data");
  // A key that cannot be read is told of on its own.
  return certificate && (!key || key.content) ? [{ certificate, key: key?.content, hasKeyFile }] : [];
}

function decode(value: string): PemContent | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(value)) {
    return undefined;
  }
  const content = readPem(Buffer.from(value, "base64").toString("latin1"));
  return content.blocks > 0 ? content : undefined;
}
