import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "node:tls";
import { PKI_STACK } from "../sandbox/description";
import { type KubeletPort, Sandbox } from "../sandbox/sandbox";
import { verify } from "../sandbox/verification";
import { logsOn } from "./nodes";

// docs/kubeadm.md, "Kubelets' server certificates", with real kubelets at an API server that takes no other certificate.

jest.setTimeout(300_000);

const GIVEN = "worker-1";
const JOINED = "joined-1";

let sandbox: Sandbox;
let folder: string;
let given: KubeletPort;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "sandbox-kubelet-serving-"));
  sandbox = await Sandbox.start({
    folder,
    distribution: "kubeadm-kubelet-serving",
    nodes: [],
    workers: [GIVEN],
    progress: () => undefined,
  });
  given = await sandbox.startKubelet(GIVEN);
});

afterAll(async () => {
  await sandbox?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function served({ address, port }: KubeletPort): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.end();
    });
    socket.on("error", reject);
  });
}

test("a kubelet serves with what it finds where it would make one, and no configuration names it", async () => {
  const file = path.join(sandbox.machine(GIVEN), "var/lib/kubelet/pki/kubelet.crt");
  expect((await served(given)).fingerprint256).toBe(new X509Certificate(readFileSync(file)).fingerprint256);
  const configuration = readFileSync(path.join(sandbox.machine(GIVEN), "var/lib/kubelet/config.yaml"), "utf8");
  expect(configuration).not.toMatch(/tlsCertFile|tlsPrivateKeyFile|serverTLSBootstrap/);
});

test("the API server takes it for that kubelet, by its address", async () => {
  expect(await logsOn(sandbox, GIVEN)).toContain("is waiting to start");
});

test("verify sees at its port that it serves what it was given", async () => {
  const where = ["--machine", GIVEN, "--port", `kubelet=${given.port}`];
  const { code, report } = await verify(sandbox, [sandbox.stack(PKI_STACK), ...where]);
  expect([code, report.verdict]).toEqual([0, "as-issued"]);
  expect(report.ports.map(({ component, served: own }) => [component, own.verdict])).toEqual([
    ["kubelet", "as-issued"],
  ]);
});

test("of a worker that joined by token it reads no logs: that has signed its certificate itself", async () => {
  const joined = await sandbox.startKubelet(JOINED);
  const made = await served(joined);
  expect(made.fingerprint256).toBe(new X509Certificate(joined.own!).fingerprint256);
  expect(await logsOn(sandbox, JOINED)).toContain("tls: failed to verify certificate");
});
