import { distributionsMarkdown } from "../support/distributions-markdown";
import { expectFile } from "../support/golden";
import { DISTRIBUTIONS } from "./cases";

test("docs/distributions.md says what the tables say", () => {
  expectFile("docs/distributions.md", distributionsMarkdown(DISTRIBUTIONS));
});
