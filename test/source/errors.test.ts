import { expectFile } from "../support/golden";
import { CAUSES, errorsMarkdown } from "../support/errors-markdown";
import { problemCodes } from "../support/problem-codes";
import { publicProgram } from "../support/public-api";

const program = publicProgram();
const lib = `${program.getCurrentDirectory()}/lib/`;
const codes = problemCodes(program, (file) => file.startsWith(lib));

test("codes are found where they are written, passed on, taken from a table, and in messages of Terraform", () => {
  expect(codes.size).toBeGreaterThan(90);
  expect([...codes.keys()]).toEqual(
    expect.arrayContaining(["cluster-name", "token-name", "pem-not-ca", "fingerprint", "unknown-authority"]),
  );
  expect(codes.get("pem-not-ca")!.fixes).toEqual(new Set(["give the authority's certificate"]));
  expect(codes.get("host-ip")!.by).toEqual(new Set(["synth", "Terraform"]));
});

test("every code has a cause, and every cause a code", () => {
  expect([...codes.keys()].sort()).toEqual(Object.keys(CAUSES).sort());
});

test("every code says what to do", () => {
  const silent = [...codes].filter(([code, { fixes }]) => fixes.size === 0 && typeof CAUSES[code] !== "object");
  expect(silent.map(([code]) => code)).toEqual([]);
});

test("docs/errors.md says what the code says", () => {
  expectFile("docs/errors.md", errorsMarkdown(codes));
});
