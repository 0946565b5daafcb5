import { Problem, Subject, SubjectFields } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { problemsOf } from "../../support/synth";

function check(fields: SubjectFields): readonly Problem[] {
  const problems = new Problems();
  new Subject(fields).check("subject", problems);
  return problems.none ? [] : problemsOf(() => problems.throwIfAny("x"));
}

const FULL: SubjectFields = {
  commonName: "prod",
  organization: "team",
  organizationalUnit: "g2",
  country: "DE",
  province: "Berlin",
  locality: "Mitte",
};

test("is written as CN, O, OU, C, ST, L", () => {
  expect(`${new Subject(FULL)}`).toBe("CN=prod, O=team, OU=g2, C=DE, ST=Berlin, L=Mitte");
});

test("leaves out what was not given", () => {
  expect(`${new Subject({ commonName: "prod", organization: undefined })}`).toBe("CN=prod");
});

test("changes the organizational unit and nothing else", () => {
  const subject = new Subject(FULL);
  expect(subject.withOrganizationalUnit("g3").fields).toEqual({ ...FULL, organizationalUnit: "g3" });
  expect(subject.fields).toEqual(FULL);
});

test("accepts fields of 64 bytes", () => {
  expect(check({ ...FULL, commonName: "a".repeat(64) })).toEqual([]);
});

test("refuses a common name of 65 bytes", () => {
  const given = "a".repeat(65);
  expect(check({ commonName: given })).toEqual([
    {
      code: "subject",
      at: "subject.commonName",
      given: JSON.stringify(given),
      allowed: "1 to 64 bytes (it has 65)",
      fix: "use a shorter name",
    },
  ]);
});

test("counts bytes, not characters", () => {
  expect(check({ commonName: "ä".repeat(33) })).toMatchObject([{ allowed: "1 to 64 bytes (it has 66)" }]);
});

test("refuses every field that is empty, at once", () => {
  expect(check({ commonName: "", organization: "" })).toMatchObject([
    { code: "subject", at: "subject.commonName", given: '""', allowed: "1 to 64 bytes (it has 0)" },
    { code: "subject", at: "subject.organization", given: '""', allowed: "1 to 64 bytes (it has 0)" },
  ]);
});
