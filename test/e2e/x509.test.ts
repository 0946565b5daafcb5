import { PrivateKey } from "@cdktf/provider-tls/lib/private-key";
import { SelfSignedCert } from "@cdktf/provider-tls/lib/self-signed-cert";
import { TerraformOutput, TerraformStack, TerraformVariable } from "cdktf";
import { generateKeyPairSync, KeyObject, X509Certificate } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  Certificate,
  CertificateAuthority,
  Generation,
  Generations,
  KeyPairRing,
  KeyUsage,
  Reference,
  Subject,
  Validity,
} from "../../lib";
import { attempt, run } from "../sandbox/command";
import {
  CA_CERTIFICATE,
  CA_KEY,
  CA_KEY_ALONE,
  ED25519_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  INTERMEDIATE_CERTIFICATE,
  INTERMEDIATE_KEY,
  LEAF_CERTIFICATE,
  LEAF_KEY,
  NO_SIGNING_CERTIFICATE,
  P224_CERTIFICATE,
  ROOT_CERTIFICATE,
  RSA_1024_CERTIFICATE,
  SIGNED_CA_CERTIFICATE,
} from "../support/pem";
import { Workspace } from "./workspace";
import { expression } from "../../lib/terraform/reference";

jest.setTimeout(180_000);

let workspace: Workspace;

beforeAll(async () => {
  workspace = await Workspace.create();
});

afterAll(() => workspace?.remove());

function show(stack: TerraformStack, name: string, value: unknown): void {
  new TerraformOutput(stack, name, { value, sensitive: true, staticId: true });
}

async function outputs(id: string): Promise<Record<string, string>> {
  const printed = JSON.parse(await workspace.must(id, "output", "-json")) as Record<string, { value: string }>;
  return Object.fromEntries(Object.entries(printed).map(([name, { value }]) => [name, value]));
}

function file(name: string, text: string): string {
  const written = path.join(workspace.folder, name);
  writeFileSync(written, text);
  return written;
}

const joined = (references: readonly Reference[]) => references.map(expression).join("");
const certificatesIn = (pem: string) =>
  (pem.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/g) ?? []).map((block) => new X509Certificate(block));

function leafOf(stack: TerraformStack, authority: CertificateAuthority): Certificate {
  const subject = new Subject({ commonName: "server" });
  return new Certificate(stack, "leaf", { authority, subject, usage: KeyUsage.SERVER, sans: ["server.example.com"] });
}

describe("authorities below a root", () => {
  const named = (commonName: string) => new Subject({ commonName });

  function hierarchy(stack: TerraformStack, roots: Generations, intermediates?: Generations): void {
    const root = new CertificateAuthority(stack, "root", { subject: named("root"), generations: roots });
    const intermediate = new CertificateAuthority(stack, "intermediate", {
      subject: named("intermediate"),
      issuer: root,
      generations: intermediates,
    });
    const authority = new CertificateAuthority(stack, "authority", { subject: named("ca"), issuer: intermediate });
    const leaf = leafOf(stack, authority);
    show(stack, "certificate", expression(leaf.certificate));
    show(stack, "chain", joined(leaf.chain));
    show(stack, "bundle", authority.bundle.pem);
    show(stack, "roots", root.bundle.pem);
  }

  test("sign one another down to a leaf that verifies against the root alone", async () => {
    workspace.synth("hierarchy", (stack) => hierarchy(stack, { g1: Generation.active() }));
    await workspace.apply("hierarchy");
    const { certificate, chain, bundle, roots } = await outputs("hierarchy");
    expect(certificatesIn(chain!).map(({ subject }) => subject)).toEqual(["CN=ca", "CN=intermediate", "CN=root"]);
    expect(bundle).toBe(chain);
    const args = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "server.example.com"];
    const files = ["-CAfile", file("root.crt", roots!), "-untrusted", file("chain.crt", chain!)];
    expect(await run("openssl", ["verify", ...args, ...files, file("leaf.crt", certificate!)])).toContain("OK");
    const alone = await attempt("openssl", [
      "verify",
      "-CAfile",
      file("root.crt", roots!),
      file("leaf.crt", certificate!),
    ]);
    expect(alone.code).not.toBe(0);
    const text = await run("openssl", ["x509", "-noout", "-text"], { input: certificatesIn(chain!)[0]!.toString() });
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE\n/);
    expect(text).toContain("X509v3 Authority Key Identifier");
  });

  test("stay when nothing changes, and warn of nothing although all end within seconds of each other", async () => {
    const planned = await workspace.terraform("hierarchy", "plan", "-detailed-exitcode", "-no-color");
    expect(planned.code).toBe(0);
    expect(planned.stdout).not.toContain("Warning");
  });

  test("stay when the root gets another generation, even when that one signs from now on", async () => {
    const promoted = { g1: Generation.trusted(), g2: Generation.active() };
    workspace.synth("hierarchy", (stack) => hierarchy(stack, promoted));
    const changes = (await workspace.plan("hierarchy")).map(
      ({ address, change }) => `${address} ${change.actions.join()}`,
    );
    expect(changes.sort()).toEqual(["tls_private_key.root__g2 create", "tls_self_signed_cert.root__g2 create"]);
  });

  test("warn where one ends after the authority that signed it", async () => {
    const day = Generation.active({ validity: Validity.hours(87600) });
    workspace.synth("outlived", (stack) => {
      const generations = {
        g1: Generation.fromPem("active", { certificatePem: CA_CERTIFICATE, privateKeyPem: CA_KEY }),
      };
      const root = new CertificateAuthority(stack, "root", { subject: named("root"), generations });
      new CertificateAuthority(stack, "below", { subject: named("below"), issuer: root, generations: { g1: day } });
      // Less than the root's own years, and more than it has left: synth refuses what is longer than all of them.
      const long = { g1: Generation.active({ validity: Validity.years(106) }) };
      new CertificateAuthority(stack, "outlives", { subject: named("outlives"), issuer: root, generations: long });
    });
    await workspace.apply("outlived");
    const planned = (await workspace.must("outlived", "plan", "-no-color")).replace(/\s+/g, " ");
    expect(planned).toContain("[authority-outlives-issuer] outlives, generation g1:");
    expect(planned).not.toContain("] below, generation g1:");
  });
});

/** A value that Terraform learns when it runs. */
function later(stack: TerraformStack, name: string, sensitive = false): string {
  const variable = new TerraformVariable(stack, `variable-${name}`, { type: "string", sensitive });
  // An output may have the same name.
  variable.overrideLogicalId(name);
  return variable.stringValue;
}

async function planOf(id: string, variables: Record<string, string>): Promise<{ code: number; text: string }> {
  workspace.setVariables(variables);
  const { code, stdout, stderr } = await workspace.terraform(id, "plan", "-no-color");
  // Terraform draws a frame around its errors.
  return { code, text: `${stdout}${stderr}`.replace(/[│╷╵\s]+/g, " ") };
}

/** Lines that would show what PEM holds. */
const base64Of = (pem: string) => pem.split("\n").filter((text) => /^[A-Za-z0-9+/=]{40,}$/.test(text));

/** A key that OpenSSL reads with a password. */
function encrypted(type: "pkcs8" | "sec1"): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }) as string;
}

const CHAIN = SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE + ROOT_CERTIFICATE;
const windows = (pem: string) => `Subject: CN=test-ca\r\n\r\n${pem.replaceAll("\n", "\r\n")}\r\n`;

describe("an authority from outside", () => {
  function outside(generations: (stack: TerraformStack) => Generations) {
    return (stack: TerraformStack) => {
      const subject = new Subject({ commonName: "ca" });
      const authority = new CertificateAuthority(stack, "ca", { subject, generations: generations(stack) });
      const leaf = leafOf(stack, authority);
      show(stack, "certificate", expression(leaf.certificate));
      show(stack, "chain", joined(leaf.chain));
      show(stack, "bundle", authority.bundle.pem);
    };
  }

  const fromVariables = outside((stack) => {
    // Not sensitive: Terraform would show both with a message.
    const pem = { certificatePem: later(stack, "certificate"), privateKeyPem: later(stack, "key") };
    return { g1: Generation.fromPem("active", pem) };
  });

  beforeAll(async () => {
    workspace.synth("outside", fromVariables);
    const half = (stack: TerraformStack) => ({ certificatePem: CHAIN, privateKeyPem: later(stack, "key", true) });
    workspace.synth(
      "half",
      outside((stack) => ({ g1: Generation.fromPem("active", half(stack)) })),
    );
    workspace.setVariables({ certificate: CHAIN, key: CA_KEY });
    await workspace.must("outside", "init", "-no-color");
    await workspace.must("half", "init", "-no-color");
  });

  const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const p224 = generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey;
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  const pkcs8 = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }) as string;

  test.each([
    ["no certificate", "garbage", CA_KEY, "[pem-certificate]"],
    ["a private key among the certificates", CA_CERTIFICATE + CA_KEY, CA_KEY, "[pem-key-in-certificate]"],
    ["no authority", LEAF_CERTIFICATE, LEAF_KEY, "[pem-not-ca]"],
    ["Ed25519", ED25519_CERTIFICATE, CA_KEY, "[pem-key-algorithm]"],
    ["a key of Ed25519", CA_CERTIFICATE, pkcs8(ed25519), "[pem-key-algorithm]"],
    ["a key of RSA-1024", RSA_1024_CERTIFICATE, pkcs8(rsa1024), "[pem-key-algorithm]"],
    ["a key on P-224", P224_CERTIFICATE, pkcs8(p224), "[pem-key-algorithm]"],
    ["no key", CA_CERTIFICATE, "garbage", "[pem-key]"],
    ["two keys", CA_CERTIFICATE, CA_KEY + LEAF_KEY, "[pem-key]"],
    ["an encrypted key", CA_CERTIFICATE, encrypted("pkcs8"), "[pem-key-encrypted]"],
    ["an encrypted key of the old format", CA_CERTIFICATE, encrypted("sec1"), "[pem-key-encrypted]"],
  ])("stops the plan with its own message where a variable holds %s", async (_, certificate, key, ...messages) => {
    const { code, text } = await planOf("outside", { certificate, key });
    expect(code).toBe(1);
    // That of the other conditions is not there.
    expect([...new Set(text.match(/\[pem-[a-z-]+\]/g))]).toEqual(messages);
    for (const line of base64Of(certificate + key)) {
      expect(text).not.toContain(line);
    }
  });

  test("stops the plan where a variable holds text that only looks like a certificate", async () => {
    const certificate = CA_CERTIFICATE.replace(/^MII/m, "MIB");
    const { code, text } = await planOf("outside", { certificate, key: CA_KEY });
    expect({ code, told: text.includes("Unable to parse certificate") }).toEqual({ code: 1, told: true });
  });

  test("stops the plan where a variable holds the key of another certificate than the code", async () => {
    const { code, text } = await planOf("half", { key: LEAF_KEY });
    expect(code).toBe(1);
    expect(text).toContain("[pem-mismatch]");
  });

  describe("in variables that no plan can see through", () => {
    const issuedIn = async (id: string) =>
      (await workspace.must(id, "state", "list"))
        .split("\n")
        .filter((address) => /^tls_(locally|self)_signed_cert\./.test(address));

    test.each([
      ["the key of another certificate", CA_CERTIFICATE, LEAF_KEY],
      ["the key of the authority above", SIGNED_CA_CERTIFICATE + INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY],
      ["a chain in the wrong order", ROOT_CERTIFICATE + INTERMEDIATE_CERTIFICATE + SIGNED_CA_CERTIFICATE, CA_KEY],
    ])("signs nothing with %s: the provider refuses", async (_, certificate, key) => {
      workspace.synth("mismatch", fromVariables);
      await workspace.must("mismatch", "init", "-no-color");
      expect(await planOf("mismatch", { certificate, key })).toMatchObject({ code: 0 });
      const { code, stdout, stderr } = await workspace.terraform("mismatch", "apply", "-auto-approve", "-no-color");
      expect(code).toBe(1);
      for (const line of base64Of(key)) {
        expect(stdout + stderr).not.toContain(line);
      }
      expect(stderr).toContain("provided PrivateKey doesn't match parent's PublicKey");
      expect(await issuedIn("mismatch")).toEqual([]);
      rmSync(workspace.state("mismatch"));
    });

    test("signs nothing with a literal key of another certificate, either", async () => {
      workspace.synth(
        "other-half",
        outside((stack) => {
          const pem = { certificatePem: later(stack, "certificate"), privateKeyPem: CA_KEY };
          return { g1: Generation.fromPem("active", pem) };
        }),
      );
      workspace.setVariables({ certificate: ROOT_CERTIFICATE });
      await workspace.must("other-half", "init", "-no-color");
      const { code } = await workspace.terraform("other-half", "apply", "-auto-approve", "-no-color");
      expect({ code, issued: await issuedIn("other-half") }).toEqual({ code: 1, issued: [] });
    });

    // What docs/authorities-from-outside.md says that nobody checks.
    test.each([
      ["a key usage without certificate signing", NO_SIGNING_CERTIFICATE],
      ["another authority in place of its issuer", SIGNED_CA_CERTIFICATE + ROOT_CERTIFICATE],
      ["a certificate that is no authority above it", SIGNED_CA_CERTIFICATE + LEAF_CERTIFICATE],
    ])("is not looked at for %s", async (_, certificate) => {
      expect(await planOf("outside", { certificate, key: CA_KEY })).toMatchObject({ code: 0 });
    });
  });

  test.each([
    ["outside", { certificate: windows(CHAIN), key: windows(CA_KEY) }],
    ["half", { key: CA_KEY }],
  ])("signs with the first certificate of a chain, and delivers the rest with it: %s", async (id, variables) => {
    workspace.setVariables(variables);
    await workspace.apply(id);
    const { certificate, chain, bundle } = await outputs(id);
    expect(chain).toBe(CHAIN);
    expect(bundle).toBe(CHAIN);
    const files = ["-CAfile", file("root.crt", ROOT_CERTIFICATE), "-untrusted", file("chain.crt", chain!)];
    expect(await run("openssl", ["verify", ...files, file("leaf.crt", certificate!)])).toContain("OK");
    const second = await workspace.terraform(id, "plan", "-detailed-exitcode", "-no-color");
    expect(second.code).toBe(0);
    expect(second.stdout).not.toContain("Warning");
    const state = JSON.parse(await workspace.show(id)) as {
      values: { root_module: { resources: { address: string; values: { output?: Record<string, string> } }[] } };
    };
    const kept = state.values.root_module.resources.find(({ address }) => address === "terraform_data.ca__g1")!;
    expect(kept.values.output).toMatchObject({ certificate_pem: SIGNED_CA_CERTIFICATE, private_key_pem: CA_KEY_ALONE });
  });

  test("is one certificate with an empty chain where a variable holds no more", async () => {
    workspace.synth("single", fromVariables);
    workspace.setVariables({ certificate: CA_CERTIFICATE, key: CA_KEY });
    await workspace.apply("single");
    expect(await outputs("single")).toMatchObject({ chain: CA_CERTIFICATE, bundle: CA_CERTIFICATE });
  });

  test("may be made by the same apply, so that no plan can look at it yet", async () => {
    workspace.synth(
      "made",
      outside((stack) => {
        const key = new PrivateKey(stack, "made-key", { algorithm: "RSA", rsaBits: 2048 });
        const certificate = new SelfSignedCert(stack, "made", {
          privateKeyPem: key.privateKeyPem,
          isCaCertificate: true,
          subject: [{ commonName: "made" }],
          allowedUses: ["cert_signing"],
          validityPeriodHours: 87600,
          setSubjectKeyId: true,
        });
        const pem = { certificatePem: certificate.certPem, privateKeyPem: key.privateKeyPem };
        return { g1: Generation.fromPem("active", pem) };
      }),
    );
    await workspace.apply("made");
    const { certificate, bundle } = await outputs("made");
    const files = ["-CAfile", file("made.crt", bundle!), file("leaf.crt", certificate!)];
    expect(await run("openssl", ["verify", ...files])).toContain("OK");
    expect((await workspace.terraform("made", "plan", "-detailed-exitcode")).code).toBe(0);
  });

  test("is only trusted where its key stays there", async () => {
    workspace.synth(
      "offline",
      outside((stack) => ({
        g1: Generation.fromPem("trusted", { certificatePem: later(stack, "certificate") }),
        g2: Generation.active(),
      })),
    );
    workspace.setVariables({ certificate: CHAIN });
    await workspace.apply("offline");
    const { bundle } = await outputs("offline");
    expect(bundle!.endsWith(CHAIN)).toBe(true);
    expect(certificatesIn(bundle!)).toHaveLength(4);
  });

  test("is warned of where a variable holds an expired one: what stops a plan may not depend on the time", async () => {
    const { code, text } = await planOf("outside", { certificate: EXPIRED_CERTIFICATE, key: CA_KEY });
    expect({ code, warned: text.includes("[pem-expired] ca, generation g1:") }).toEqual({ code: 0, warned: true });
  });
});

describe("a key pair from outside", () => {
  const pair = (bits = 2048) =>
    generateKeyPairSync("rsa", {
      modulusLength: bits,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
  const mine = pair();
  const weak = pair(1024);

  beforeAll(async () => {
    workspace.synth("keys", (stack) => {
      const pem = { publicKeyPem: later(stack, "public"), privateKeyPem: later(stack, "private", true) };
      const ring = new KeyPairRing(stack, "sa", { generations: { g1: Generation.fromKeyPem("active", pem) } });
      show(stack, "public", joined(ring.publicKeys));
      show(stack, "private", joined(ring.privateKeys));
    });
    workspace.setVariables({ public: mine.publicKey, private: mine.privateKey });
    await workspace.must("keys", "init", "-no-color");
  });

  test.each([
    ["another pair's public key", { public: pair().publicKey, private: mine.privateKey }, "[pem-public-mismatch]"],
    ["no public key", { public: "garbage", private: mine.privateKey }, "[pem-public-key]"],
    ["RSA-1024", { public: weak.publicKey, private: weak.privateKey }, "[pem-key-algorithm]"],
    ["no private key", { public: mine.publicKey, private: "garbage" }, "[pem-key]"],
  ])("stops the plan where variables hold %s", async (_, variables, message) => {
    const { code, text } = await planOf("keys", variables);
    expect(code).toBe(1);
    expect(text).toContain(message);
  });

  test("is kept as it came, but for its line ends", async () => {
    workspace.setVariables({ public: windows(mine.publicKey), private: windows(mine.privateKey) });
    await workspace.apply("keys");
    expect(await outputs("keys")).toEqual({ public: mine.publicKey, private: mine.privateKey });
    expect((await workspace.terraform("keys", "plan", "-detailed-exitcode")).code).toBe(0);
  });
});
