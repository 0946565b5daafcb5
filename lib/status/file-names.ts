import { posix } from "node:path";

// What the name of a file says of what is in it.

const LOOKED_AT = /\.(crt|cer|cert|pem|key|conf|config|kubeconfig|ya?ml|json)$|^kubeconfig$|^config$/;
const CERTIFICATE = /.\.(crt|cer|cert)$/;
const PEM = /.\.pem$/;
const KEY = /.(\.key|[-_.]key\.pem)$/;
/** Of kubeadm and k0s; other programs have files of that ending too. */
const KUBECONFIG =
  /(^|\.)kubeconfig$|^((super-)?admin|(bootstrap-)?kubelet|controller-manager|scheduler|ccm|ocm|konnectivity)\.conf$/;

/** Tells whether a file may hold a certificate or a key. */
export function isLookedAt(name: string): boolean {
  return LOOKED_AT.test(name);
}

/** Tells whether a file is there for a certificate, a key or a kubeconfig, and for nothing else. */
export function mustHoldCertificate(name: string): boolean {
  return [CERTIFICATE, PEM, KEY, KUBECONFIG].some((pattern) => pattern.test(name));
}

/** What must be in a file that has such a name. */
export function expectedIn(name: string): "certificate" | "key" | "PEM" | "kubeconfig" | undefined {
  return EXPECTED.find(([pattern]) => pattern.test(name))?.[1];
}

const EXPECTED = [
  [KEY, "key"],
  [CERTIFICATE, "certificate"],
  [PEM, "PEM"],
  [KUBECONFIG, "kubeconfig"],
] as const;

/** Where the key of a certificate may be, beside it: `server.key`, `server-key.pem`, for `server.pem` and `server-cert.pem`. */
export function keysBeside(path: string): string[] {
  const { dir, name, ext } = posix.parse(path);
  if (!(CERTIFICATE.test(`${name}${ext}`) || PEM.test(`${name}${ext}`)) || KEY.test(`${name}${ext}`)) {
    return [];
  }
  const stems = [...new Set([name, name.replace(/[-_.](cert|crt)$/, "")])];
  return stems.flatMap((stem) =>
    [".key", "-key.pem", "_key.pem", ".key.pem"].map((ending) => posix.join(dir, `${stem}${ending}`)),
  );
}
