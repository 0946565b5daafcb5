import { Fn, TerraformVariable, Token } from "cdktf";
import fc from "fast-check";
import { AltName, Problem, SubjectAltNames } from "../../../lib";
import { Problems } from "../../../lib/errors";
import { checkAltNames } from "../../../lib/x509/subject-alt-names";
import { newStack, problemsOf, resolved } from "../../support/synth";

function check(...names: AltName[]): readonly Problem[] {
  const problems = new Problems();
  checkAltNames(names, "sans", problems);
  return problems.none ? [] : problemsOf(() => problems.throwIfAny("x"));
}

/** A variable's value, unresolved. */
const token = (name = "host") => new TerraformVariable(newStack(), name, { type: "string" }).stringValue;

describe("order", () => {
  test("sorts DNS names and addresses, each once, in canonical form", () => {
    const sans = SubjectAltNames.of(
      "b.example.com",
      "A.example.com",
      "fd00::0001",
      "10.0.0.9",
      "10.0.0.10",
      "b.EXAMPLE.com",
    );
    expect(sans.dns).toEqual(["a.example.com", "b.example.com"]);
    expect(sans.ips).toEqual(["10.0.0.10", "10.0.0.9", "fd00::1"]);
  });

  test("makes no difference between names whose kind is said and others", () => {
    const sans = SubjectAltNames.of(
      { dns: ["B.example.com"], ips: ["FD00::1", "::ffff:10.0.0.1"] },
      "b.example.com",
      "10.0.0.1",
    );
    expect(sans.dns).toEqual(["b.example.com"]);
    expect(sans.ips).toEqual(["10.0.0.1", "fd00::1"]);
  });

  test("puts unresolved values behind the others, each once, in the order given", () => {
    const [z, a] = [token("z"), token("a")];
    const sans = SubjectAltNames.of({ dns: [z, a], ips: [z] }, "b.example.com", { dns: [z], ips: ["10.0.0.1"] });
    expect(sans.dns).toEqual(["b.example.com", z, a]);
    expect(sans.ips).toEqual(["10.0.0.1", z]);
  });

  test("is the same for any permutation with any duplicates", () => {
    const name = fc.oneof(
      fc.domain(),
      fc.domain().map((text) => text.toUpperCase()),
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((ip) => `::ffff:${ip}`),
      fc.record({ dns: fc.array(fc.domain()), ips: fc.array(fc.ipV4()) }),
    );
    const shuffled = fc
      .array(name, { maxLength: 8 })
      .chain((names) =>
        fc.tuple(fc.constant(names), fc.shuffledSubarray([...names, ...names], { minLength: names.length * 2 })),
      );
    fc.assert(
      fc.property(shuffled, ([names, more]) => {
        const [one, other] = [SubjectAltNames.of(...names), SubjectAltNames.of(...more)];
        expect(other.dns).toEqual(one.dns);
        expect(other.ips).toEqual(one.ips);
      }),
    );
  });

  test("none is none", () => {
    expect(SubjectAltNames.of()).toEqual(SubjectAltNames.NONE);
  });
});

describe("what is refused", () => {
  test("nothing of DNS names, wildcards, addresses and unresolved values whose kind is said", () => {
    expect(
      check("a.example.com", "*.example.com", "10.0.0.1", "fd00::1", { dns: [token(), "b"], ips: [token()] }),
    ).toEqual([]);
  });

  test("a CIDR, a port and a URL, all at once", () => {
    const allowed = "a DNS name or an IP address";
    expect(check("192.168.214.1/24", "ok.example.com", "api:6443", "https://api")).toEqual([
      {
        code: "host-cidr",
        at: "sans[0]",
        given: '"192.168.214.1/24"',
        allowed,
        fix: 'it is a CIDR; did you mean "192.168.214.1"?',
      },
      { code: "host-port", at: "sans[2]", given: '"api:6443"', allowed, fix: 'it has a port; did you mean "api"?' },
      { code: "host-url", at: "sans[3]", given: '"https://api"', allowed, fix: 'it is a URL; did you mean "api"?' },
    ]);
  });

  test("an unresolved value whose kind is not said", () => {
    expect(check("a", token())).toEqual([
      {
        code: "alt-name-kind",
        at: "sans[1]",
        given: '"an unresolved value"',
        allowed: "a value whose kind is said",
        fix: "write { dns: [value] } or { ips: [value] }: it cannot be told from an unresolved value",
      },
    ]);
  });

  test("an address among DNS names and a name among addresses", () => {
    expect(check({ dns: ["a", "10.0.0.1"], ips: ["b"] })).toEqual([
      {
        code: "alt-name-kind",
        at: "sans[0].dns[1]",
        given: '"10.0.0.1"',
        allowed: "a DNS name",
        fix: "move it to ips",
      },
      { code: "alt-name-kind", at: "sans[0].ips[0]", given: '"b"', allowed: "an IP address", fix: "move it to dns" },
    ]);
  });

  test("a mistake among names whose kind is said", () => {
    expect(check({ ips: ["10.0.0.1/24"], dns: ["a:1"] })).toEqual([
      {
        code: "host-port",
        at: "sans[0].dns[0]",
        given: '"a:1"',
        allowed: "a DNS name",
        fix: 'it has a port; did you mean "a"?',
      },
      {
        code: "host-cidr",
        at: "sans[0].ips[0]",
        given: '"10.0.0.1/24"',
        allowed: "an IP address",
        fix: 'it is a CIDR; did you mean "10.0.0.1"?',
      },
    ]);
  });
});

describe("preconditions", () => {
  const stack = newStack();
  const [a, b] = ["a", "b"].map((name) => new TerraformVariable(stack, name, { type: "string" }).stringValue) as [
    string,
    string,
  ];
  const preconditions = (...names: AltName[]) => resolved(stack, SubjectAltNames.of(...names).preconditions);

  test("there are none for what is known at synth", () => {
    expect(SubjectAltNames.of("a", "10.0.0.1").preconditions).toEqual([]);
  });

  // That they hold for the same values as the checks of synth is seen in test/e2e/hosts.test.ts.
  test("one for each unresolved DNS name", () => {
    expect(preconditions({ dns: [a] })).toEqual([
      {
        condition: expect.stringContaining('lower("${var.a}")'),
        errorMessage:
          '[host-name] sans: given "${var.a}"; allowed: a DNS name without scheme, port or path; ' +
          "fix: write the host alone, and give IP addresses as ips.",
      },
    ]);
  });

  test("two for each unresolved address: that it is one, and that it is a machine's", () => {
    const of = (name: string) => [
      {
        condition: expect.stringContaining(`"\${var.${name}}"`),
        errorMessage:
          `[host-ip] sans: given "\${var.${name}}"; allowed: an IPv4 or IPv6 address without a prefix length, a port or leading zeros; ` +
          "fix: write the address alone, and give DNS names as dns.",
      },
      {
        condition: expect.stringContaining(`"\${var.${name}}"`),
        errorMessage: expect.stringContaining(`[address-range] sans: given "\${var.${name}}"`),
      },
    ];
    expect(preconditions({ ips: [a, "10.0.0.1", b] })).toEqual([...of("a"), ...of("b")]);
  });

  test("text around an unresolved value stays beside it", () => {
    const [{ condition }] = preconditions({ ips: [`10.0.0.${b}`] });
    expect(condition).toContain('"10.0.0.${var.b}"');
  });
});

describe("the tls provider is given", () => {
  const stack = newStack();
  const a = new TerraformVariable(stack, "a", { type: "string" }).stringValue;

  test("known names as they are, and others in their one spelling", () => {
    const { dnsArgument, ipsArgument } = SubjectAltNames.of({ dns: [a], ips: [a] }, "b.example.com", "FD00::0001");
    expect(resolved(stack, dnsArgument)).toEqual(["b.example.com", "${lower(var.a)}"]);
    expect(resolved(stack, ipsArgument)).toEqual([
      "fd00::1",
      '${try(cidrhost(format("%s/%d", var.a, strcontains(var.a, ":") ? 128 : 32), 0), var.a)}',
    ]);
  });

  test("nothing where there is none", () => {
    expect(SubjectAltNames.NONE.dnsArgument).toBeUndefined();
    expect(SubjectAltNames.NONE.ipsArgument).toBeUndefined();
  });
});

test("a variable that is read twice is named once", () => {
  const stack = newStack();
  const variable = new TerraformVariable(stack, "a", { type: "string" });
  const other = new TerraformVariable(stack, "b", { type: "string" }).stringValue;
  const [one, again] = [variable.stringValue, variable.stringValue];
  expect(one).not.toBe(again);
  const { dns, ips } = SubjectAltNames.of({ dns: [one, other, again], ips: [one, "10.0.0.1", again] }).distinctIn(
    stack,
  );
  expect(dns).toEqual([one, other]);
  expect(ips).toEqual(["10.0.0.1", one]);
});

describe("what cdktf lets stand where text is wanted", () => {
  const stack = newStack();
  const any = new TerraformVariable(stack, "any", { type: "any" });
  const allowed = "a DNS name or an IP address, as text";

  test.each([
    ["a resolvable", any.value, "an unresolved value that is no text"],
    ["a number", any.numberValue, "an unresolved number"],
  ])("%s is refused with the way to write it", (_, value, given) => {
    expect(check(value as string)).toEqual([
      {
        code: "unresolved-kind",
        at: "sans[0]",
        given: JSON.stringify(given),
        allowed,
        fix: "write { dns: [Token.asString(value)] } or { ips: [Token.asString(value)] }",
      },
    ]);
    expect(check({ dns: [value as string], ips: [value as string] })).toMatchObject([
      { at: "sans[0].dns[0]", given: JSON.stringify(given), fix: "write Token.asString(value)" },
      { at: "sans[0].ips[0]", given: JSON.stringify(given), fix: "write Token.asString(value)" },
    ]);
    // As it says.
    expect(check({ dns: [Token.asString(value)], ips: [Token.asString(value)] })).toEqual([]);
  });

  test("a list is refused with the way to write its elements", () => {
    expect(check({ dns: any.listValue }, { ips: ["10.0.0.1", ...any.listValue] })).toEqual([
      {
        code: "unresolved-kind",
        at: "sans[0].dns",
        given: '"an unresolved list"',
        allowed: "a DNS name, as text",
        fix: "write each element, Token.asString(Fn.element(list, 0)): how many there are has to be known at synth",
      },
      expect.objectContaining({ at: "sans[1].ips[1]", given: '"an unresolved list"' }),
    ]);
    expect(check({ dns: [Token.asString(Fn.element(any.listValue, 0))] })).toEqual([]);
    expect(check(...(any.listValue as AltName[]))).toMatchObject([{ at: "sans", given: '"an unresolved list"' }]);
  });
});

describe("addresses of no machine", () => {
  test.each([
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "255.255.255.255",
    "224.0.0.1",
    "239.1.1.1",
    "ff02::1",
    "169.254.1.1",
    "FE80::1",
  ])("%s is refused, alone and among addresses", (address) => {
    expect(check(address, { ips: [address] })).toMatchObject([
      { code: "address-range", at: "sans[0]" },
      { code: "address-range", at: "sans[1].ips[0]" },
    ]);
  });

  test.each(["127.0.0.1", "::1", "10.0.0.1", "100.64.0.1", "fd00::1", "240.0.0.1"])("%s is taken", (address) => {
    expect(check(address)).toEqual([]);
  });
});
