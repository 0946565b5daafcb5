import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CA_CERTIFICATE, CA_KEY } from "./pem";

/** What openssl makes of a request. */
export interface SigningOptions {
  readonly csr: string;
  /** Lines of its extension file. */
  readonly extensions: readonly string[];
  /** @default `CA_CERTIFICATE` with `CA_KEY` */
  readonly authority?: { readonly certificate: string; readonly key: string };
  /** @default 300 */
  readonly days?: number;
}

/** What is not about names, and is the same for all. */
export const PLAIN = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];

/** A certificate that openssl signed for a request, with its names. */
export function signedOf({ csr, extensions, authority, days = 300 }: SigningOptions): string {
  const { certificate, key } = authority ?? { certificate: CA_CERTIFICATE, key: CA_KEY };
  const folder = mkdtempSync(path.join(tmpdir(), "signed-"));
  try {
    const file = (name: string, text: string) => {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    };
    return execFileSync(
      "openssl",
      [
        ...["x509", "-req", "-in", file("csr", csr), "-days", `${days}`, "-copy_extensions", "copy"],
        ...["-CA", file("ca", certificate), "-CAkey", file("key", key), "-CAserial", path.join(folder, "serial")],
        ...["-CAcreateserial", "-extfile", file("ext", `${extensions.join("\n")}\n`)],
      ],
      { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
