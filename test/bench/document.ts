import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { format, resolveConfig } from "prettier";

const DOCUMENT = path.resolve(__dirname, "../../docs/bench.md");
const START = "<!-- npm run bench -- --write: start -->";
const END = "<!-- npm run bench -- --write: end -->";

/** Puts what was measured between the markers of `docs/bench.md`. */
export async function writeDocument(measured: string): Promise<void> {
  const text = await readFile(DOCUMENT, "utf8");
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`docs/bench.md has lost its markers, ${START} and ${END}`);
  const changed = `${text.slice(0, start)}${START}\n\n${measured}\n\n${text.slice(end)}`;
  await writeFile(DOCUMENT, await format(changed, { ...(await resolveConfig(DOCUMENT)), filepath: DOCUMENT }));
}
