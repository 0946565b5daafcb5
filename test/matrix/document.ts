import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const DOCUMENT = path.resolve(__dirname, "../../docs/identities.md");

/** What `docs/identities.md` shows of a distribution. */
export function documented(distribution: string): string {
  const [, text = ""] = section(distribution).exec(readFileSync(DOCUMENT, "utf8")) ?? [];
  return text;
}

/** Puts there what was seen. */
export function document(distribution: string, seen: string): void {
  const text = readFileSync(DOCUMENT, "utf8");
  if (!section(distribution).test(text)) {
    throw new Error(`docs/identities.md has no section of ${distribution}`);
  }
  writeFileSync(
    DOCUMENT,
    text.replace(section(distribution), () => `${start(distribution)}\n\n${seen}\n\n${END}`),
  );
}

const END = "<!-- npm run matrix -- --write: end -->";

function start(distribution: string): string {
  return `<!-- npm run matrix -- --write: ${distribution} -->`;
}

function section(distribution: string): RegExp {
  return new RegExp(`${start(distribution)}\\s*([^]*?)\\s*${END}`);
}
