import * as fc from "fast-check";
import * as names from "../../../lib/terraform/names";

const part = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const generation = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
/** RFC 1123 subdomains, as machines are called. */
const machine = fc
  .array(label, { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join("."))
  .filter((name) => !names.RESERVED_HOLDERS.includes(name));

test("every name that is built is taken apart into what it was built of", () => {
  fc.assert(
    fc.property(part, part, machine, generation, (prefix, name, holder, id) => {
      const of = (kind: string, more: object = {}) => ({ prefix, kind, name, ...more });
      const parse = names.parseName;
      expect(parse(names.authorityName(prefix, name))).toEqual(of("authority"));
      expect(parse(names.generationName(names.authorityName(prefix, name), id))).toEqual(
        of("authority", { generation: id }),
      );
      expect(parse(names.generationName(names.keyPairName(prefix, name), id))).toEqual(
        of("key pair", { generation: id }),
      );
      expect(parse(names.leafName(prefix, holder, name))).toEqual(of("certificate", { holder }));
      expect(parse(names.leafKeyName(names.leafName(prefix, holder, name), id))).toEqual(
        of("certificate", { holder, generation: id }),
      );
      expect(parse(names.tokenName(prefix, name))).toEqual(of("token"));
      expect(parse(names.bindingName(prefix, name))).toEqual(of("binding"));
      expect(parse(names.secretName(prefix, name))).toEqual(of("secret"));
    }),
  );
});

test("no two things share a name", () => {
  const thing = fc.oneof(
    fc.tuple(part, part, generation).map(([prefix, name, id]) => ({
      what: ["authority", prefix, name, id],
      name: names.generationName(names.authorityName(prefix, name), id),
    })),
    fc.tuple(part, machine, part).map(([prefix, holder, name]) => ({
      what: ["leaf", prefix, holder, name],
      name: names.leafName(prefix, holder, name),
    })),
    fc
      .tuple(part, part)
      .map(([prefix, name]) => ({ what: ["token", prefix, name], name: names.tokenName(prefix, name) })),
  );
  fc.assert(
    fc.property(thing, thing, (a, b) => {
      expect(a.name === b.name).toBe(JSON.stringify(a.what) === JSON.stringify(b.what));
    }),
  );
});

test.each(["", "x", "a__b", "a____c", "__ca__x", "A__cp-1__x", "a__cp-1__", "a__ca__x__", "a__b__c__d__e", "a_b"])(
  "%p is no name of this library",
  (name) => {
    expect(names.parseName(name)).toBeUndefined();
  },
);

test("outputs of files are known by the cluster's prefix, those of join passwords too", () => {
  expect(names.prefixOfFiles(names.filesOutput("prod"))).toBe("prod");
  expect(names.prefixOfFiles(names.filesOutput(names.tokenName("prod", "server")))).toBe("prod");
  expect(names.prefixOfFiles("my_other_files")).toBeUndefined();
});

test("a title is what a reader calls a thing", () => {
  expect(names.title({ name: "kubernetes", generation: "g1" })).toBe("kubernetes g1");
  expect(names.title({ holder: "cp-1", name: "apiserver" })).toBe("cp-1/apiserver");
  expect(names.title({ cluster: "prod", holder: "cp-1", name: "apiserver" })).toBe("prod: cp-1/apiserver");
});

test("a name under another prefix is the same name", () => {
  fc.assert(
    fc.property(part, part, machine, part, (before, after, holder, name) => {
      expect(names.withPrefix(names.leafName(before, holder, name), before, after)).toBe(
        names.leafName(after, holder, name),
      );
    }),
  );
});
