import { Token } from "cdktf";
import { runInNewContext } from "node:vm";
import {
  checkShape,
  either,
  fields,
  type Fields,
  flag,
  hosts,
  host,
  instanceOf,
  list,
  member,
  name,
  number,
  oneOf,
  optional,
  plainText,
  record,
  type Shape,
  tagged,
  text,
} from "../../../lib/terraform/shape";
import { errorOf, problemsOf } from "../../support/synth";

const found = (shape: Shape, value: unknown) => problemsOf(() => checkShape("here", value, shape));
const taken = (shape: Shape, value: unknown) => expect(() => checkShape("here", value, shape)).not.toThrow();

class Lamp {
  public readonly isOn = true;
}

interface Props {
  readonly name: string;
  readonly port?: number;
  readonly tags?: Readonly<Record<string, string>>;
}
const PROPS = fields({
  name: name("lamp"),
  port: optional(number(80)),
  tags: optional(record("room", text('"kitchen"'))),
} satisfies Fields<Props>);

test("what is right is taken", () => {
  taken(PROPS, { name: "a" });
  taken(PROPS, { name: "a", port: 1, tags: { room: "b" } });
  taken(PROPS, { name: "a", port: undefined, extra: undefined });
});

test("all that is wrong is told at once, each at its place", () => {
  expect(errorOf(() => checkShape("stack/lamp", { prot: 1, tags: { a: 1, "b c": null } }, PROPS)).message).toBe(
    `4 problems at stack/lamp
  [missing] name: given nothing; allowed: text; fix: add name: "lamp"
  [wrong-type] tags.a: given 1; allowed: text; fix: write "kitchen"
  [wrong-type] tags["b c"]: given null; allowed: text; fix: leave it out, or write "kitchen"
  [unknown-key] prot: given "prot"; allowed: name, port, tags; fix: did you mean "port"?`,
  );
});

test.each([
  [null, "null"],
  [[], "a list"],
  ["a", "text"],
  [1, "1"],
  [NaN, "a number that is none"],
  [-Infinity, "infinity"],
  [1n, "1"],
  [true, "true"],
  [() => 1, "a function"],
  [Symbol("a"), "a symbol"],
  [new Date(0), "a Date"],
  [new Map(), "a Map"],
  [new Lamp(), "a Lamp"],
  [Object.create(null), "an object"],
])("%p is told as %s", (value, given) => {
  expect(found(instanceOf(Error, "new Error()"), value)).toMatchObject([{ code: "wrong-type", given }]);
});

test("text is shown where a name stands, and never where it could be a secret", () => {
  expect(found(list(name("a")), "cp-1")).toMatchObject([{ given: '"cp-1"', fix: 'write ["cp-1"]' }]);
  expect(found(list(text("a")), "hunter2")).toMatchObject([{ given: "text", fix: "write [a]" }]);
  expect(found(PROPS, "hunter2")).toMatchObject([{ at: "props", given: "text" }]);
  const key = "-----BEGIN RSA PRIVATE KEY-----\nhunter2";
  expect(found(name("a"), key)).toMatchObject([{ code: "wrong-type", given: "text with a private key" }]);
  expect(found(oneOf(["a"]), key)).toMatchObject([{ code: "unknown-value", given: "text with a private key" }]);
});

test("a class's own fields beside ours are its own affair, and its getters are fields", () => {
  class Described {
    private readonly secret = 1;
    public get name() {
      return `lamp-${this.secret}`;
    }
  }
  taken(PROPS, new Described());
});

test("objects and instances of another realm, or another copy of the package, are the same", () => {
  taken(PROPS, runInNewContext('({ name: "a", tags: { room: "b" } })'));
  taken(instanceOf(Lamp, "new Lamp()"), runInNewContext("class Lamp {}; new Lamp()"));
  expect(found(PROPS, runInNewContext('({ name: "a", prot: 1 })'))).toMatchObject([{ code: "unknown-key" }]);
});

test("names that every object has are fields like others", () => {
  expect(found(PROPS, JSON.parse('{ "name": "a", "__proto__": 1, "constructor": 2 }'))).toMatchObject([
    { code: "unknown-key", at: "__proto__" },
    { code: "unknown-key", at: "constructor" },
  ]);
  expect(found(tagged("kind", { a: {} }), { kind: "toString" })).toMatchObject([{ code: "unknown-value" }]);
});

describe("what Terraform fills in", () => {
  const [asText, asNumber, asList, asAny] = [
    Token.asString({ a: 1 }),
    Token.asNumber({ a: 1 }),
    Token.asList({ a: 1 }),
    Token.asAny({ a: 1 }),
  ];

  test("is refused where it has to be known", () => {
    const shapes = [name("a"), oneOf(["a"]), number(1), flag, instanceOf(Lamp, "a"), list(name("a"))];
    const values = [asText, asText, asNumber, asAny, asAny, asList];
    shapes.forEach((shape, index) => {
      expect(found(shape, values[index])).toMatchObject([{ code: "unresolved", given: '"an unresolved value"' }]);
    });
  });

  test("is taken as text, and told how to be written so", () => {
    taken(text("a"), asText);
    taken(plainText("a"), `a ${asText}`);
    for (const value of [asNumber, asAny]) {
      expect(found(text("a"), value)).toMatchObject([{ code: "unresolved-kind", fix: "write Token.asString(value)" }]);
    }
    expect(found(PROPS, asAny)).toMatchObject([{ code: "unresolved-kind", at: "props" }]);
    expect(
      found(
        either("a or b", "a", () => undefined),
        asAny,
      ),
    ).toMatchObject([{ code: "unresolved-kind" }]);
  });

  test("passes where hosts are, but one text for a list", () => {
    for (const value of [asText, asNumber, asAny]) {
      taken(hosts(host("a", "a host")), [value]);
    }
    taken(hosts(host("a", "a host")), asList);
    expect(found(hosts(host("a", "a host")), asText)).toMatchObject([{ code: "unresolved-kind" }]);
  });

  test("is no text that looks like it", () => {
    for (const value of ["${TfToken[", "${TfToken[TOKEN.987654]}", `a ${asList[0]}`]) {
      expect(found(text("a"), value)).toMatchObject([{ code: "token-text" }]);
    }
  });
});

test.each(["\u0000", "\u001b[31m", "a\nb", "\u2028", "\ud800", "a\udc00b", "${x}", "a%{ if x }"])(
  "%j is no plain text",
  (value) => {
    expect(found(plainText("a"), value)).toMatchObject([{ code: "plain-text" }]);
  },
);

test.each(["", "a b", "100% of $5", "é😀", "a\\nb"])("%j is plain text", (value) => taken(plainText("a"), value));

test("a place is written as in code, however a key is called", () => {
  expect(member("props", "cluster")).toBe("cluster");
  expect(member("cluster", "name")).toBe("cluster.name");
  expect(member("tokens", "a\nb")).toBe('tokens["a\\nb"]');
  expect(member("tokens", "x".repeat(1000)).length).toBeLessThan(100);
});

test("a prop without an entry does not compile, nor one that only here may be left out", () => {
  // @ts-expect-error port and tags are missing
  fields({ name: name("a") } satisfies Fields<Props>);
  // @ts-expect-error a name may not be left out
  fields({ name: optional(name("a")), port: optional(number(1)), tags: optional(flag) } satisfies Fields<Props>);
  // @ts-expect-error a port may be left out
  fields({ name: name("a"), port: number(1), tags: optional(flag) } satisfies Fields<Props>);
});
