import { NotDer, objectIdentifierOf, partsIn, readDer, TAG, timeOf, valuesIn } from "../../../lib/x509/der";

const der = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

test.each([
  ["nothing", "", []],
  ["two integers", "0201 05 0201 7f", [TAG.integer, TAG.integer]],
  ["a sequence of a sequence", "3004 3002 0500", [TAG.sequence]],
  ["a length of two bytes", `0481 80${"00".repeat(128)}`, [TAG.octetString]],
])("reads %s", (_, hex, tags) => {
  expect(valuesIn(der(hex)).map(({ tag }) => tag)).toEqual(tags);
});

// X.690, 8 and 10.
test.each([
  ["a value that is cut", "0202 05"],
  ["a tag without a length", "02"],
  ["a length that is not known before its end", "3080 0500 0000"],
  ["a length that is longer than it need be", "0281 01 05"],
  ["a length with a zero before it", "0482 0001 00"],
  ["a length beyond all memory", "04ff 0000"],
  ["a tag of several bytes", "1f81 0100"],
  ["a primitive value with the form of one that holds others", "2203 0201 05"],
  ["a sequence with the form of a primitive value", "1000"],
  ["a boolean that is neither", "0101 01"],
  ["an integer of no bytes", "0200"],
  ["an integer with a byte too many", "0202 0005"],
  ["a negative integer with a byte too many", "0202 ff85"],
  ["a bit string with bits that are not used and not zero", "0302 0381"],
  ["a null with something in it", "0501 00"],
  ["an object identifier that ends early", "0602 2a86"],
  ["an object identifier with a padded number", "0603 2a8001"],
  ["UTF-8 that is none", "0c02 c328"],
  ["a printable string with a letter that is not printable", "1301 40"],
  ["ASCII with a letter that is none", "1601 e4"],
  ["an unknown type", "0900"],
  [
    "what is nested deeper than any certificate",
    Array.from({ length: 60 }, (_, index) => `30${((59 - index) * 2).toString(16).padStart(2, "0")}`).join(""),
  ],
])("refuses %s", (_, hex) => {
  expect(() => valuesIn(der(hex))).toThrow(NotDer);
});

test.each([
  ["551d0f", "2.5.29.15"],
  ["2a8648ce3d0201", "1.2.840.10045.2.1"],
  ["2b06010505070301", "1.3.6.1.5.5.7.3.1"],
  ["883703", "2.999.3"],
])("%s is the object identifier %s", (hex, text) => {
  expect(objectIdentifierOf({ value: der(hex) })).toBe(text);
});

test.each([
  [TAG.utcTime, "261125083125Z", "2026-11-25T08:31:25.000Z"],
  // RFC 5280, 4.1.2.5.1
  [TAG.utcTime, "491231235959Z", "2049-12-31T23:59:59.000Z"],
  [TAG.utcTime, "500101000000Z", "1950-01-01T00:00:00.000Z"],
  [TAG.generalizedTime, "21261029041201Z", "2126-10-29T04:12:01.000Z"],
  [TAG.utcTime, "260230000000Z", undefined],
  [TAG.utcTime, "261325000000Z", undefined],
  [TAG.utcTime, "2611250831Z", undefined],
  [TAG.utcTime, "261125083125+0100", undefined],
  [TAG.generalizedTime, "20261125083125.5Z", undefined],
  [TAG.generalizedTime, "20261125240000Z", undefined],
])("time %i %s is %s", (tag, text, time) => {
  expect(timeOf({ tag, value: Buffer.from(text) })?.toISOString()).toBe(time);
});

test("what others made is taken apart whatever it holds, as long as its lengths are right", () => {
  // A PrintableString with an underscore, which Go refuses and certificates in the wild have.
  const name = Buffer.from("1303615f62", "hex");
  expect(() => valuesIn(name)).toThrow(NotDer);
  expect(partsIn(name).map(({ tag, value }) => [tag, value.toString()])).toEqual([[TAG.printableString, "a_b"]]);
  expect(readDer(() => partsIn(name.subarray(0, 4)))).toBeUndefined();
  const other = () => {
    throw new RangeError("another");
  };
  expect(() => readDer(other)).toThrow(RangeError);
});
