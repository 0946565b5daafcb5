import fc from "fast-check";
import { nameText, subjectOf } from "../../../lib/verify/der";
import { Flight, FlightError, type Shown } from "../../../lib/verify/flight";
import { clientHello } from "../../../lib/verify/hello";
import { CLIENT_RANDOM, FINGERPRINT, FLIGHT } from "../../support/flight";

/** The bytes of a server, in pieces. */
function read(bytes: Buffer, piece = bytes.length, random = CLIENT_RANDOM): Shown | undefined {
  const flight = new Flight(random);
  let shown: Shown | undefined;
  for (let at = 0; at < bytes.length; at += piece) {
    shown ??= flight.push(bytes.subarray(at, at + piece));
  }
  return shown;
}

function record(content: Buffer, type = 22): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3, content.length >> 8, content.length & 0xff]), content]);
}

function message(type: number, content: Buffer): Buffer {
  const head = Buffer.from([type, content.length >> 16, (content.length >> 8) & 0xff, content.length & 0xff]);
  return Buffer.concat([head, content]);
}

interface Part {
  readonly type: number;
  readonly content: Buffer;
}

/** The messages of the flight, each of which has a record of its own. */
const PARTS: readonly Part[] = (() => {
  const parts: Part[] = [];
  for (let at = 0; at < FLIGHT.length;) {
    const length = FLIGHT.readUInt16BE(at + 3);
    const content = FLIGHT.subarray(at + 5, at + 5 + length);
    parts.push({ type: content[0]!, content: content.subarray(4) });
    at += 5 + length;
  }
  return parts;
})();
const [HELLO, CERTIFICATE, , REQUEST] = [2, 11, 12, 13, 14].map((type) => PARTS.find((part) => part.type === type)!);

/** The flight with some of its messages as something else. */
function flightWith(change: (part: Part) => readonly Part[]): Buffer {
  return Buffer.concat(PARTS.flatMap(change).map(({ type, content }) => record(message(type, content))));
}

function withContent(type: number, content: Buffer): Buffer {
  return flightWith((part) => [part.type === type ? { type, content } : part]);
}

/** Two messages that are as long as they may be, and a third. */
function endless(): Buffer {
  const hello = Buffer.concat([HELLO!.content, Buffer.alloc(262_000)]);
  const all = Buffer.concat([message(2, hello), ...[11, 22].map((type) => message(type, Buffer.alloc(262_000)))]);
  const records = Array.from({ length: Math.ceil(all.length / 16_000) }, (_, index) =>
    record(all.subarray(index * 16_000, (index + 1) * 16_000)),
  );
  return Buffer.concat(records);
}

const NAMES = ["CN=etcd-ca", "CN=etcd-ca, OU=g2"];

test("a flight shows the certificate, and the names of the authorities in their order", () => {
  const shown = read(FLIGHT)!;
  expect(shown.chain.map(({ fingerprint256 }) => fingerprint256)).toEqual([FINGERPRINT]);
  expect(shown.authorities!.map(nameText)).toEqual(NAMES);
});

test.each([1, 2, 3, 5, 7, 100])("in pieces of %i bytes it is the same", (piece) => {
  expect(read(FLIGHT, piece)!.authorities!.map(nameText)).toEqual(NAMES);
});

test("messages may be split among records, and share one", () => {
  const all = Buffer.concat(PARTS.map(({ type, content }) => message(type, content)));
  const single = Array.from(all, (byte) => record(Buffer.from([byte])));
  for (const bytes of [record(all), Buffer.concat(single)]) {
    expect(read(bytes)!.authorities!.map(nameText)).toEqual(NAMES);
  }
});

test("what is cut off anywhere is waited for", () => {
  for (let length = 0; length < FLIGHT.length; length++) {
    expect(read(FLIGHT.subarray(0, length))).toBeUndefined();
  }
});

test("whatever bytes come, it is read or refused", () => {
  const judged = (bytes: Buffer) => {
    try {
      read(bytes, 64);
    } catch (error) {
      expect(error).toBeInstanceOf(FlightError);
    }
  };
  for (let at = 0; at < FLIGHT.length; at++) {
    for (const value of [0x00, 0x7f, 0x80, 0xff, FLIGHT[at]! ^ 1]) {
      const bytes = Buffer.from(FLIGHT);
      bytes[at] = value;
      judged(bytes);
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => judged(Buffer.from(bytes))));
});

test("a server that shows somebody else's certificate does not have its key", () => {
  expect(() => read(FLIGHT, 64, Buffer.alloc(32))).toThrow("it does not have the key of the certificate");
});

test("a server that asks for no certificate, and one that names nobody, are told apart", () => {
  const without = flightWith((part) => (part.type === REQUEST!.type ? [] : [part]));
  expect(read(without)!.authorities).toBeUndefined();
  const end = REQUEST!.content.length - 2 - REQUEST!.content.readUInt16BE(REQUEST!.content.length - 59);
  const nobody = Buffer.concat([REQUEST!.content.subarray(0, end), Buffer.from([0, 0])]);
  expect(read(withContent(13, nobody))!.authorities).toEqual([]);
});

test.each<[string, Buffer, string]>([
  ["plain HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), 'no TLS: it begins with "HTTP/"'],
  ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"), 'no TLS: it begins with "SSH-2"'],
  ["a terminal's commands", Buffer.from("\u001b[2J\u001b]0"), 'no TLS: it begins with ".[2J."'],
  ["a record that is too long", Buffer.from([22, 3, 3, 0xff, 0xff]), "a record of 65535 bytes"],
  ["a record of nothing", Buffer.from([22, 3, 3, 0, 0]), "a record of 0 bytes"],
  ["data instead of a handshake", Buffer.from([23, 3, 3, 0, 1, 0]), "no TLS"],
  ["a message that is too long", record(Buffer.from([2, 0xff, 0xff, 0xff])), "a message of 16777215 bytes"],
  ["a message that nobody waits for", record(message(14, Buffer.alloc(0))), "message 14 where none is due"],
  ["an alert", record(Buffer.from([2, 80]), 21), "TLS alert internal_error"],
  ["an alert that is cut off", record(Buffer.from([2]), 21), "an alert that is broken"],
  ["a goodbye", record(Buffer.from([1, 0]), 21), "TLS alert close_notify"],
  ["warnings without end", Buffer.concat(Array(9).fill(record(Buffer.from([1, 112]), 21))), "unrecognized_name"],
  ["a ServerHello that is cut off", record(message(2, Buffer.alloc(20))), "a ServerHello that is cut off"],
  [
    "a second ServerHello",
    flightWith((part) => (part === HELLO ? [part, part] : [part])),
    "message 2 where none is due",
  ],
  [
    "no certificate at all",
    flightWith((part) => (part === CERTIFICATE ? [] : [part])),
    "a Certificate that is cut off",
  ],
  ["no certificate in the list", withContent(11, Buffer.alloc(3)), "no certificate"],
  ["a list that is too long", withContent(11, Buffer.from([0, 0, 9, 0, 0, 1, 0])), "a Certificate that is cut off"],
  ["something behind the list", withContent(11, Buffer.concat([CERTIFICATE!.content, Buffer.alloc(1)])), "more in it"],
  [
    "a certificate that is none",
    withContent(11, Buffer.from([0, 0, 4, 0, 0, 1, 7])),
    "a certificate that cannot be read",
  ],
  ["no key exchange", flightWith((part) => (part.type === 12 ? [] : [part])), "a ServerKeyExchange that is cut off"],
  [
    "a name that is none",
    withContent(13, Buffer.from([0, 0, 0, 0, 3, 0, 1, 9])),
    "the name of an authority cannot be read",
  ],
  [
    "names that are too long",
    withContent(13, Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff])),
    "a CertificateRequest that is cut off",
  ],
  ["bytes without end", endless(), "more than 524288 bytes"],
])("refuses %s", (_, bytes, text) => {
  expect(() => read(bytes, 16_384)).toThrow(FlightError);
  expect(() => read(bytes, 16_384)).toThrow(text);
});

test("another version is worth a try", () => {
  const isOther = (bytes: Buffer) => {
    try {
      read(bytes);
    } catch (error) {
      return error instanceof FlightError && error.isOtherVersion;
    }
    return false;
  };
  const old = Buffer.from(HELLO!.content);
  old.writeUInt16BE(0x0302, 0);
  expect(
    [record(Buffer.from([2, 70]), 21), record(Buffer.from([2, 80]), 21), record(message(2, old))].map(isOther),
  ).toEqual([true, false, true]);
});

test("a ClientHello names the server where it has a name", () => {
  expect(clientHello(CLIENT_RANDOM, "api.example.com").includes("api.example.com")).toBe(true);
  for (const address of ["10.0.0.11", "fd00::1"]) {
    expect(clientHello(CLIENT_RANDOM, address).includes(address)).toBe(false);
  }
});

describe("names", () => {
  const der = (hex: string) => Buffer.from(hex.replace(/ /g, ""), "hex");
  const ONE = "30 0f 31 0d 30 0b 06 03 550403 0c 04 6574 6364";

  test("are read as they are written", () => {
    expect(nameText(der(ONE))).toBe("CN=etcd");
    expect(nameText(der("30 00"))).toBe("");
    expect(nameText(der("30 11 31 0f 30 0d 06 03 2a0304 1e 06 006500740063"))).toBe("1.2.3.4=#006500740063");
  });

  test.each([
    ["", "nothing"],
    ["30", "half a value"],
    ["31 00", "no sequence"],
    [`${ONE} 00`, "something behind it"],
    ["30 80 00 00", "an end that is looked for"],
    ["30 81 0f 31 0d 30 0b 06 03 550403 0c 04 6574 6364", "a length that is written too long"],
    ["30 84 ff ff ff ff", "a length of 4 GB"],
    ["30 0f 31 0d 30 0c 06 03 550403 0c 04 6574 6364", "a part that is longer than the whole"],
    ["30 0f 31 0d 30 0b 06 03 5504ff 0c 04 6574 6364", "an identifier that is cut off"],
    ["30 02 31 00", "a part without attributes"],
  ])("%s is none: %s", (hex) => {
    expect(nameText(der(hex))).toBeUndefined();
  });

  test("of a certificate are found in it", () => {
    const [leaf] = read(FLIGHT)!.chain;
    expect(nameText(subjectOf(leaf.raw)!)).toBe("CN=cp-1");
    for (let length = 0; length < 80; length++) {
      expect(subjectOf(leaf.raw.subarray(0, length))).toBeUndefined();
    }
  });
});
