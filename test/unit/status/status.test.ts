import { X509Certificate } from "node:crypto";
import { readPem } from "../../../lib/status/pem";
import { exitCodeOf, parseExpiresIn, Status, statusOf } from "../../../lib/status/status";
import { statusText } from "../../../lib/status/text";
import { ADMIN, APISERVER, KUBERNETES, KUBERNETES_KEY, LATE, NAMESAKE } from "../../support/chain";

const PEMS = { APISERVER, ADMIN, KUBERNETES, NAMESAKE, LATE };
type Name = keyof typeof PEMS;

const KEYS = new Set(readPem(KUBERNETES_KEY).keys);

function status(names: readonly Name[], now: string, expiresIn?: string, keys: ReadonlySet<string> = KEYS): Status {
  const found = names.map((name) => ({ name, certificate: new X509Certificate(PEMS[name]) }));
  const source = { found, keys, problems: [], notes: [] };
  return statusOf(source, new Date(now), expiresIn === undefined ? undefined : parseExpiresIn(expiresIn)!);
}

/** `name: kind` of every problem. */
function problems(...args: Parameters<typeof status>): string[] {
  return status(...args).problems.map(({ name, kind }) => `${name}: ${kind}`);
}

describe("a certificate", () => {
  test("is told with kubeadm's fields", () => {
    const { schemaVersion, certificates, certificateAuthorities } = status(
      ["KUBERNETES", "APISERVER"],
      "2030-12-31T23:00:00Z",
    );
    expect(schemaVersion).toBe(2);
    expect(certificates).toEqual([
      {
        name: "APISERVER",
        expirationDate: "2031-01-01T00:00:00Z",
        residualTime: 3600,
        caName: "KUBERNETES",
        externallyManaged: false,
        missing: false,
        usages: [],
        alternativeNames: [],
      },
    ]);
    expect(certificateAuthorities).toEqual([
      {
        name: "KUBERNETES",
        expirationDate: "2040-01-01T00:00:00Z",
        residualTime: 284_000_400,
        externallyManaged: false,
        missing: false,
        usages: ["cert_signing"],
        alternativeNames: [],
      },
    ]);
  });

  test("belongs to the authority whose signature it has, not to the one with the same subject", () => {
    const { certificates } = status(["APISERVER", "LATE", "NAMESAKE", "KUBERNETES"], "2030-07-01T00:00:00Z");
    expect(certificates.map(({ name, caName }) => [name, caName])).toEqual([
      ["APISERVER", "KUBERNETES"],
      ["LATE", "NAMESAKE"],
    ]);
  });

  test("has the subject of its authority where that is not there", () => {
    const [row] = status(["APISERVER", "NAMESAKE"], "2030-07-01T00:00:00Z").certificates;
    expect(row).toMatchObject({ caName: "CN=kubernetes", externallyManaged: true });
  });

  test("is externally managed where the key of its authority is not there", () => {
    const { certificates, certificateAuthorities } = status(
      ["APISERVER", "KUBERNETES"],
      "2030-07-01T00:00:00Z",
      undefined,
      new Set(),
    );
    expect([...certificates, ...certificateAuthorities].map((row) => row.externallyManaged)).toEqual([true, true]);
  });

  test("found twice is told once, by its first name", () => {
    const certificate = new X509Certificate(APISERVER);
    const found = [
      { name: "z", certificate },
      { name: "a", certificate },
    ];
    const { certificates } = statusOf({ found, keys: KEYS, problems: [], notes: [] }, new Date("2030-07-01T00:00:00Z"));
    expect(certificates.map(({ name }) => name)).toEqual(["z"]);
  });
});

describe("what is wrong", () => {
  const ALL: readonly Name[] = ["APISERVER", "KUBERNETES"];

  test.each<[string, string, string | undefined, string[], number]>([
    ["nothing while all is valid", "2030-07-01T00:00:00Z", undefined, [], 0],
    ["nothing in the last second", "2031-01-01T00:00:00Z", undefined, [], 0],
    ["expired a second later", "2031-01-01T00:00:01Z", undefined, ["APISERVER: expired"], 3],
    ["nothing in the first second", "2030-01-01T00:00:00Z", undefined, [], 0],
    [
      "not valid yet a second before",
      "2029-12-31T23:59:59Z",
      undefined,
      ["APISERVER: not-yet-valid", "KUBERNETES: not-yet-valid"],
      3,
    ],
    ["expiring with 30 days left of 30d", "2030-12-02T00:00:00Z", "30d", ["APISERVER: expiring"], 2],
    ["nothing with a second more", "2030-12-01T23:59:59Z", "30d", [], 0],
    ["expiring with 720 hours left of 720h", "2030-12-02T00:00:00Z", "720h", ["APISERVER: expiring"], 2],
    ["expiring with 90 minutes left of 1h30m", "2030-12-31T22:30:00Z", "1h30m", ["APISERVER: expiring"], 2],
    ["expiring when 66% of the lifetime have passed", "2030-08-29T21:36:00Z", "66%", ["APISERVER: expiring"], 2],
    ["nothing a second before", "2030-08-29T21:35:59Z", "66%", [], 0],
    ["only expired when it is both", "2031-06-01T00:00:00Z", "30d", ["APISERVER: expired"], 3],
  ])("is %s", (_, now, expiresIn, expected, code) => {
    expect(problems(ALL, now, expiresIn)).toEqual(expected);
    expect(exitCodeOf(status(ALL, now, expiresIn))).toBe(code);
  });

  test("is an authority that ends before what it signed, though nothing has to be done about it yet", () => {
    const found = status(["LATE", "NAMESAKE"], "2030-07-01T00:00:00Z");
    expect(found.problems).toEqual([
      {
        name: "LATE",
        kind: "outlives-authority",
        message: "ends after its authority NAMESAKE, which ends on Jan 01, 2031 00:00 UTC",
      },
    ]);
    expect(exitCodeOf(found)).toBe(0);
  });
});

test.each(["", "30", "d", "66", "101%", "-1%", "%", "1.d", "3 d", "30d 2h", "1w", "-30d", "0x10%"])(
  "%j says no limit",
  (text) => expect(parseExpiresIn(text)).toBeUndefined(),
);

test("the tables have kubeadm's columns, and problems stand below", () => {
  expect(statusText(status(["ADMIN", "APISERVER", "KUBERNETES", "LATE"], "2031-01-01T00:00:02Z"))).toBe(
    `CERTIFICATE   EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED
ADMIN         Jan 01, 2031 00:00 UTC   <invalid>       KUBERNETES              no
APISERVER     Jan 01, 2031 00:00 UTC   <invalid>       KUBERNETES              no
LATE          Jun 01, 2031 00:00 UTC   150d            CN=kubernetes           yes

CERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED
KUBERNETES              Jan 01, 2040 00:00 UTC   9y              no

PROBLEM WITH   WHAT
ADMIN          expired on Jan 01, 2031 00:00 UTC
APISERVER      expired on Jan 01, 2031 00:00 UTC
LATE           names KUBERNETES as its authority, which did not sign it
`,
  );
});

test.each([
  ["2030-12-31T23:59:01Z", "59s"],
  ["2030-12-31T23:59:00Z", "1m"],
  ["2030-12-31T23:00:01Z", "59m"],
  ["2030-12-31T23:00:00Z", "1h"],
  ["2030-12-31T00:00:01Z", "23h"],
  ["2030-12-31T00:00:00Z", "1d"],
  ["2030-01-01T00:00:01Z", "364d"],
  ["2030-01-01T00:00:00Z", "1y"],
  ["2031-01-01T00:00:01Z", "0s"],
])("at %s, %s are left, as kubeadm rounds", (now, text) => {
  expect(statusText(status(["APISERVER"], now))).toMatch(new RegExp(`^APISERVER .* UTC {3}${text} `, "m"));
});

describe("PEM", () => {
  test("is read whatever stands around it, and of a private key the public half alone", () => {
    const { certificates, keys, ...rest } = readPem(`text\r\n${APISERVER.replaceAll("\n", "\r\n")}${KUBERNETES_KEY}`);
    expect(certificates.map(({ subject }) => subject)).toEqual(["CN=kube-apiserver"]);
    expect(rest).toEqual({ brokenCertificates: 0, brokenKeys: 0, encryptedKeys: 0, blocks: 2 });
    const publicKey = new X509Certificate(KUBERNETES).publicKey.export({ type: "spki", format: "der" });
    expect(keys).toEqual([publicKey.toString("base64")]);
  });

  test("that is broken is counted, and what follows is read", () => {
    const broken = APISERVER.replace(/^MI.*$/m, "bm90IGEgY2VydGlmaWNhdGU=");
    const { certificates, keys, ...rest } = readPem(`${broken}${ADMIN}`);
    expect([certificates.length, keys.length]).toEqual([1, 0]);
    expect(rest).toEqual({ brokenCertificates: 1, brokenKeys: 0, encryptedKeys: 0, blocks: 2 });
  });

  const whole = APISERVER.trimEnd();
  /** How many bytes of it are written; five dashes may be anything. */
  const lengths = Array.from({ length: whole.length - 5 }, (_, index) => index + 6);

  test("is whole or counted as broken, wherever the second of two ends", () => {
    const wrong = lengths.filter((length) => {
      const { certificates, brokenCertificates } = readPem(`${ADMIN}${whole.slice(0, length)}`);
      const isWhole = length === whole.length;
      return certificates.length !== 1 + Number(isWhole) || brokenCertificates !== Number(!isWhole);
    });
    expect(wrong).toEqual([]);
  });

  test("that is cut off does not take what follows with it", () => {
    const { certificates, brokenCertificates } = readPem(`${whole.slice(0, 300)}\n${ADMIN}`);
    expect([certificates.map(({ subject }) => subject), brokenCertificates]).toEqual([
      [expect.stringContaining("kubernetes-admin")],
      1,
    ]);
  });
});
