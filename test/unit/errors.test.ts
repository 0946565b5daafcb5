import { PkiError } from "../../lib";
import { Problems } from "../../lib/errors";
import { errorOf } from "../support/synth";

function twoProblems(): Problems {
  const problems = new Problems();
  problems.add({
    code: "san-cidr",
    at: "sans[0]",
    given: "10.0.0.1/24",
    allowed: "an IP address",
    fix: 'did you mean "10.0.0.1"?',
  });
  problems.add({
    code: "port",
    at: "cluster.endpoint",
    given: 0,
    allowed: "a port from 1 to 65535",
    fix: "the API server's usual one is 6443",
  });
  return problems;
}

test("tells of every problem in one error, one line each", () => {
  expect(errorOf(() => twoProblems().throwIfAny("prod-pki/pki")).message).toBe(
    [
      "2 problems at prod-pki/pki",
      '  [san-cidr] sans[0]: given "10.0.0.1/24"; allowed: an IP address; fix: did you mean "10.0.0.1"?',
      "  [port] cluster.endpoint: given 0; allowed: a port from 1 to 65535; fix: the API server's usual one is 6443",
    ].join("\n"),
  );
});

test("counts a single problem in the singular", () => {
  const problems = new Problems();
  problems.add({ code: "a", at: "b", given: true, allowed: "c", fix: "d" });
  expect(errorOf(() => problems.throwIfAny("here")).message).toBe(
    "1 problem at here\n  [a] b: given true; allowed: c; fix: d",
  );
});

test("carries the path and the problems as data", () => {
  const error = errorOf(() => twoProblems().throwIfAny("prod-pki/pki"));
  expect(error).toMatchObject({
    name: "PkiError",
    path: "prod-pki/pki",
    problems: [
      { code: "san-cidr", at: "sans[0]", given: '"10.0.0.1/24"' },
      { code: "port", at: "cluster.endpoint", given: "0" },
    ],
  });
  expect(error).toBeInstanceOf(PkiError);
  expect(error).toBeInstanceOf(Error);
});

test("says the same thing once", () => {
  const problems = twoProblems();
  problems.add({
    code: "port",
    at: "cluster.endpoint",
    given: 0,
    allowed: "a port from 1 to 65535",
    fix: "the API server's usual one is 6443",
  });
  expect(errorOf(() => problems.throwIfAny("x")).problems).toHaveLength(2);
});

test("throws nothing when nothing is wrong", () => {
  const problems = new Problems();
  expect(problems.none).toBe(true);
  expect(() => problems.throwIfAny("x")).not.toThrow();
});

test.each(["${TfToken[TOKEN.1]}", "a-${TfToken[TOKEN.1]}", "#{TfToken[TOKEN.1]}", ["#{TfToken[TOKEN.1]}"], -8.1e298])(
  "never shows cdktf's own text for what Terraform alone knows (%#)",
  (given) => {
    const problems = new Problems();
    problems.add({ code: "a", at: "b", given, allowed: "c", fix: "d" });
    expect(errorOf(() => problems.throwIfAny("here")).problems).toMatchObject([{ given: '"an unresolved value"' }]);
  },
);

test("shows the beginning of what nobody would read to its end", () => {
  const problems = new Problems();
  problems.add({ code: "a", at: "b", given: "x".repeat(30_000), allowed: "c", fix: "d" });
  expect(errorOf(() => problems.throwIfAny("here")).problems[0]!.given).toBe(
    `"${"x".repeat(300)}… (30000 characters)"`,
  );
});
