import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What a request is made of, in openssl's words. */
export interface RequestOptions {
  /** As `openssl req -subj` takes it. */
  readonly subject: string;
  /** Values of `-addext`. */
  readonly extensions?: readonly string[];
  /** Arguments of `-newkey`. */
  readonly key?: readonly string[];
  /** More arguments. */
  readonly more?: readonly string[];
}

/** A key, and a request that openssl made with it. */
export function requestOf({
  subject,
  extensions = [],
  key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  more = [],
}: RequestOptions): { readonly csr: string; readonly key: string } {
  const folder = mkdtempSync(path.join(tmpdir(), "request-"));
  try {
    // Without openssl's own configuration, which may add what nobody asked for here.
    const config = path.join(folder, "openssl.cnf");
    writeFileSync(config, "[req]\ndistinguished_name=dn\n[dn]\n");
    const out = ["-keyout", path.join(folder, "key"), "-out", path.join(folder, "csr")];
    const added = extensions.flatMap((extension) => ["-addext", extension]);
    const options = ["-config", config, "-nodes", "-subj", subject, ...added, ...more, ...out];
    execFileSync("openssl", ["req", "-new", "-newkey", ...key, ...options], { stdio: "pipe" });
    return { csr: readFileSync(path.join(folder, "csr"), "utf8"), key: readFileSync(path.join(folder, "key"), "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether openssl takes the signature of a request for right. */
export function isRightToOpenssl(csr: string): boolean {
  // Its exit code is 0 whatever it finds.
  return spawnSync("openssl", ["req", "-verify", "-noout"], { input: csr, encoding: "utf8" }).stderr.includes(
    "verify OK",
  );
}
