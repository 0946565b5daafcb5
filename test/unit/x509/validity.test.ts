import { Token } from "cdktf";
import { Problem, Validity } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { problemsOf } from "../../support/synth";

function problems(check: (problems: Problems) => void): readonly Problem[] {
  const found = new Problems();
  check(found);
  return found.none ? [] : problemsOf(() => found.throwIfAny("x"));
}

const leaf = (validity: Validity) => problems((found) => validity.checkLeaf("validity", found));
const authority = (validity: Validity) => problems((found) => validity.checkAuthority("validity", found));

const badHours = (given: string) => ({
  code: "validity",
  at: "validity",
  given,
  allowed: "whole hours from 1 to 2562047",
  fix: "use Validity.hours, .days or .years with a positive number",
});

const badEarly = (given: string, hours: string) => ({
  code: "early-renewal",
  at: "validity.earlyRenewalHours",
  given,
  allowed: `whole hours from 0 to less than the validity (${hours} h)`,
  fix: "shorten the early renewal: otherwise every apply replaces the certificate",
});

test("counts days of 24 hours and years of 8760, as kubeadm does", () => {
  expect(Validity.hours(5).validityHours).toBe(5);
  expect(Validity.days(90).validityHours).toBe(2160);
  expect(Validity.years(10).validityHours).toBe(87600);
});

test.each([
  [Validity.years(1), 720],
  [Validity.days(90), 720],
  [Validity.hours(2159), 719],
  [Validity.hours(8), 2],
  [Validity.hours(1), 0],
])("renews 720 hours or a third of the validity before the end, whichever is shorter (%#)", (validity, early) => {
  expect(validity.earlyRenewalHours).toBe(early);
});

test("takes another early renewal, 0 included", () => {
  expect(Validity.days(2, { earlyRenewalHours: 6 }).earlyRenewalHours).toBe(6);
  expect(Validity.years(1, { earlyRenewalHours: 0 }).earlyRenewalHours).toBe(0);
});

test.each([Validity.hours(1), Validity.hours(2_562_047), Validity.years(1, { earlyRenewalHours: 8759 })])(
  "accepts a leaf at the limits (%#)",
  (validity) => expect(leaf(validity)).toEqual([]),
);

test("refuses a leaf of no hours", () => {
  expect(leaf(Validity.hours(0, { earlyRenewalHours: -1 }))[0]).toEqual(badHours("0"));
});

test("refuses a leaf of half an hour", () => {
  expect(leaf(Validity.hours(1.5, { earlyRenewalHours: 0 }))).toEqual([badHours("1.5")]);
});

test("refuses a validity that overflows Go's duration and would end before it starts", () => {
  expect(leaf(Validity.hours(2_562_048))).toEqual([badHours("2562048")]);
  expect(authority(Validity.years(300))).toEqual([badHours("2628000")]);
});

test("refuses a validity that is no number", () => {
  const hours = { at: "hours", given: "a number that is none", allowed: "a number", fix: "write 1" };
  expect(problemsOf(() => Validity.hours(NaN))).toEqual([{ code: "wrong-type", ...hours }]);
});

test("refuses an unresolved validity: it is needed at synth", () => {
  expect(problemsOf(() => Validity.hours(Token.asNumber("${var.hours}")))).toMatchObject([{ code: "unresolved" }]);
});

test("refuses an early renewal as long as the validity", () => {
  expect(leaf(Validity.hours(24, { earlyRenewalHours: 24 }))).toEqual([badEarly("24", "24")]);
});

test("refuses a negative early renewal and half an hour of it", () => {
  expect(leaf(Validity.hours(24, { earlyRenewalHours: -1 }))).toEqual([badEarly("-1", "24")]);
  expect(leaf(Validity.hours(24, { earlyRenewalHours: 0.5 }))).toEqual([badEarly("0.5", "24")]);
});

test("refuses an authority that would renew itself, and with it all its leaves", () => {
  expect(authority(Validity.years(10, { earlyRenewalHours: 720 }))).toEqual([
    {
      code: "authority-early-renewal",
      at: "validity.earlyRenewalHours",
      given: "720",
      allowed: "nothing, or 0",
      fix: "leave it out and introduce a new generation instead: a renewed authority replaces all its leaves at once",
    },
  ]);
});

test("accepts an authority without early renewal", () => {
  expect(authority(Validity.years(10))).toEqual([]);
  expect(authority(Validity.years(10, { earlyRenewalHours: 0 }))).toEqual([]);
});
