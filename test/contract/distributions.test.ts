import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { distributionsMarkdown } from "../support/distributions-markdown";
import { DISTRIBUTIONS } from "./cases";

test("docs/distributions.md says what the tables say", () => {
  const file = join(__dirname, "../../docs/distributions.md");
  const text = distributionsMarkdown(DISTRIBUTIONS);
  if (process.env.UPDATE_GOLDEN) {
    writeFileSync(file, text);
  }
  expect(readFileSync(file, "utf8")).toBe(text);
});
