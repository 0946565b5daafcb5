import fc from "fast-check";
import { canonicalIp, isMistake, parseHost } from "../../../lib/x509/host";

const SYNTAX = "use letters, digits and '-' in labels of at most 63, separated by dots";
const IPV4 = "it is no valid IPv4 address; each of its four numbers is 0 to 255 without leading zeros";

describe("DNS names", () => {
  test.each([
    ["localhost", "localhost"],
    ["api.prod.example.com", "api.prod.example.com"],
    ["API.Prod.Example.COM", "api.prod.example.com"],
    ["*.apps.example.com", "*.apps.example.com"],
    ["1password.com", "1password.com"],
    ["a", "a"],
    ["xn--mnchen-3ya.de", "xn--mnchen-3ya.de"],
    ["a".repeat(63), "a".repeat(63)],
  ])("%j is %j", (text, value) => {
    expect(parseHost(text)).toEqual({ kind: "dns", value });
  });

  test.each([
    ["", SYNTAX],
    ["a_b", SYNTAX],
    ["-a.example.com", SYNTAX],
    ["a-.example.com", SYNTAX],
    ["a..b", SYNTAX],
    [".a", SYNTAX],
    ["a b", SYNTAX],
    ["münchen.de", SYNTAX],
    ["*", SYNTAX],
    ["a.*.example.com", SYNTAX],
    ["*a.example.com", SYNTAX],
    ["*.*.example.com", SYNTAX],
    ["a".repeat(64), SYNTAX],
    [`${"a.".repeat(126)}ab`, SYNTAX],
    [".", SYNTAX],
    ["api.example.com\n", SYNTAX],
  ])("%j is none", (text, fix) => {
    expect(parseHost(text)).toEqual({ code: "host-name", fix });
  });

  test("at most 253 characters", () => {
    expect(parseHost(`${"a.".repeat(126)}a`)).toMatchObject({ kind: "dns" });
  });
});

describe("IP addresses", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["2001:DB8::A", "2001:db8::a"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    // RFC 5952, 4.2: the longest run, of two runs the first, and never a single field.
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
  ])("%j is %j", (text, value) => {
    expect(parseHost(text)).toEqual({ kind: "ip", value });
  });

  test.each(["::ffff:10.0.0.1", "::FFFF:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:ffff:a00:1"])(
    "IPv4 written as IPv6 is IPv4, as it is to Go: %j",
    (text) => {
      expect(parseHost(text)).toEqual({ kind: "ip", value: "10.0.0.1" });
    },
  );

  test.each([
    "10.0.0.300",
    "10.0.0",
    "10.0.0.0.1",
    "010.0.0.1",
    "10.0.0.01",
    "1",
    "0x7f.0.0.1",
    "api.example.1",
    "*.1",
    "::1.2.3.4",
    "::ffff:010.0.0.1",
    "::ffff:1.2.3.256",
    "64:ff9b::1.2.3",
  ])("%j is none, and no DNS name either", (text) => {
    expect(parseHost(text)).toEqual({ code: "host-ip", fix: IPV4 });
  });

  test.each(["fe80::1%eth0", "[::1]", "1::2::3", "12345::", ":::"])("%j is none", (text) => {
    expect(parseHost(text)).toEqual({ code: "host-name", fix: SYNTAX });
  });
});

describe("what was probably meant", () => {
  test.each([
    ["192.168.214.1/24", "host-cidr", 'it is a CIDR; did you mean "192.168.214.1"?'],
    ["FD00::0001/64", "host-cidr", 'it is a CIDR; did you mean "fd00::1"?'],
    ["10.0.0.1/", "host-cidr", 'it is a CIDR; did you mean "10.0.0.1"?'],
    ["api.example.com:6443", "host-port", 'it has a port; did you mean "api.example.com"?'],
    ["10.0.0.1:6443", "host-port", 'it has a port; did you mean "10.0.0.1"?'],
    ["[fd00::1]:6443", "host-port", 'it has a port; did you mean "fd00::1"?'],
    ["api.example.com:", "host-port", 'it has a port; did you mean "api.example.com"?'],
    ["https://api.example.com", "host-url", 'it is a URL; did you mean "api.example.com"?'],
    ["HTTPS://api.example.com:6443/healthz", "host-url", 'it is a URL; did you mean "api.example.com"?'],
    ["https://[fd00::1]:6443/", "host-url", 'it is a URL; did you mean "fd00::1"?'],
    ["api.example.com.", "host-name", 'leave the last dot out; did you mean "api.example.com"?'],
  ])("%j", (text, code, fix) => {
    expect(parseHost(text)).toEqual({ code, fix });
  });

  test.each([
    ["https://:6443", "host-url", "it is a URL; write the host alone"],
    ["https://user@host/", "host-url", "it is a URL; write the host alone"],
    ["a_b:6443", "host-port", "it has a port; write the host alone"],
    ["a_b.", "host-name", "leave the last dot out; write the host alone"],
  ])("never proposes what would be refused again: %j", (text, code, fix) => {
    expect(parseHost(text)).toEqual({ code, fix });
  });
});

describe("of any text", () => {
  const host = fc.oneof(
    fc.string(),
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.webUrl(),
    fc.stringMatching(/^[a-zA-Z0-9.:/*[\]%-]{0,30}$/),
  );

  test("something is said and nothing is thrown", () => {
    fc.assert(
      fc.property(host, (text) => {
        const found = parseHost(text);
        return isMistake(found) ? found.code.startsWith("host-") && found.fix !== "" : found.value !== "";
      }),
    );
  });

  test("the canonical form is its own canonical form", () => {
    fc.assert(
      fc.property(host, (text) => {
        const found = parseHost(text);
        fc.pre(!isMistake(found));
        expect(parseHost((found as { value: string }).value)).toEqual(found);
      }),
    );
  });

  test("an IPv6 address is written as in a URL, but for IPv4 in it", () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (words) => {
        const text = words.map((word) => word.toString(16)).join(":");
        fc.pre(!/^(0:){5}ffff:/.test(text));
        expect(`[${canonicalIp(text)}]`).toBe(new URL(`http://[${text}]`).hostname);
      }),
    );
  });

  test("every IPv4 address is its own canonical form", () => {
    fc.assert(fc.property(fc.ipV4(), (text) => canonicalIp(text) === text));
  });
});
