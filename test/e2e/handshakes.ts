import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { DistributionTable, FileKind } from "../../lib";
import { attempt } from "../sandbox/command";
import type { Ports } from "../sandbox/components";
import { CONTROL_PLANE } from "../sandbox/description";
import type { Sandbox } from "../sandbox/sandbox";

/** Where the components of a sandbox listen, by what the tables say sets their ports. */
const PORTS: Readonly<Record<string, keyof Ports>> = {
  "etcd --listen-client-urls": "etcdClient",
  "etcd --listen-peer-urls": "etcdPeer",
  "kube-apiserver --secure-port": "apiServer",
  "kube-controller-manager --secure-port": "controllerManager",
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;

/**
 * Tests that whoever connects to a running component sees what the column `port` of its table says: the certificate that it
 * serves, and the authorities whose clients it lets in.
 */
export function describeHandshakes(table: () => DistributionTable, sandbox: () => Sandbox): void {
  test.each(Object.entries(PORTS))("%s: handshakes show what the table says", async (name, port) => {
    const shown = await handshake(sandbox().ports[port]);
    const certificates = certificatesShown(name, table(), sandbox(), ["certificate", "chain"]);
    // Without a certificate of its own, a component makes one at its start.
    for (const { fingerprint256 } of certificates.slice(0, 1)) {
      expect(shown.certificate.fingerprint256).toBe(fingerprint256);
    }
    const authorities = certificatesShown(name, table(), sandbox(), ["bundle"]);
    // The controller-manager asks the API server whom that lets in where it is not told.
    if (authorities.length > 0) {
      expect(shown.authorities).toEqual([...new Set(authorities.map(nameOf))].sort());
    }
    expect([...certificates, ...authorities].length).toBeGreaterThan(0);
  });
}

/** The certificates in the files that a component shows on a port, by the table. */
function certificatesShown(
  name: string,
  { authorities, certificates }: DistributionTable,
  sandbox: Sandbox,
  kinds: readonly FileKind[],
): X509Certificate[] {
  const files = [...Object.values(authorities), ...Object.values(certificates)]
    .flatMap((row) => row.files)
    .filter(({ kind, consumers }) => {
      return kinds.includes(kind) && consumers.some(({ component, port }) => `${component} ${port?.setBy}` === name);
    });
  return files
    .map((file) => readFileSync(path.join(sandbox.machine(CONTROL_PLANE), file.path), "utf8"))
    .flatMap((text) => text.match(CERTIFICATE)!.map((pem) => new X509Certificate(pem)));
}

/** What a server shows to somebody without a certificate, by openssl. */
export async function handshake(port: number): Promise<{ certificate: X509Certificate; authorities: string[] }> {
  const { stdout } = await attempt("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-nameopt", "RFC2253"]);
  const names = /Acceptable client certificate CA names\n([^]*?)\n(?:Client Certificate Types|Requested Signature)/;
  return {
    certificate: new X509Certificate(stdout.match(CERTIFICATE)![0]),
    authorities: (names.exec(stdout)?.[1] ?? "").split("\n").sort(),
  };
}

function nameOf({ subject }: X509Certificate): string {
  return subject.split("\n").reverse().join(",");
}
