import { TerraformVariable } from "cdktf";
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

  test("one for each unresolved DNS name, which may be no address", () => {
    expect(preconditions({ dns: [a] })).toEqual([
      {
        condition:
          '${can(regex("^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "${var.a}"))' +
          ' && !can(cidrhost("${var.a}/32", 0))}',
        errorMessage:
          '[host-name] sans: given "${var.a}"; allowed: a DNS name without scheme, port or path; ' +
          "fix: write the host alone, and give IP addresses as ips.",
      },
    ]);
  });

  test("one for each unresolved address", () => {
    expect(preconditions({ ips: [a, "10.0.0.1", b] })).toEqual([
      {
        condition: '${can(cidrhost("${var.a}/32", 0))}',
        errorMessage:
          '[host-ip] sans: given "${var.a}"; allowed: an IPv4 or IPv6 address without a prefix length or port; ' +
          "fix: write the address alone, and give DNS names as dns.",
      },
      {
        condition: '${can(cidrhost("${var.b}/32", 0))}',
        errorMessage:
          '[host-ip] sans: given "${var.b}"; allowed: an IPv4 or IPv6 address without a prefix length or port; ' +
          "fix: write the address alone, and give DNS names as dns.",
      },
    ]);
  });

  test("text around an unresolved value stays beside it", () => {
    const [{ condition }] = preconditions({ ips: [`10.0.0.${b}`] });
    expect(condition).toBe('${can(cidrhost("10.0.0.${var.b}/32", 0))}');
  });
});
