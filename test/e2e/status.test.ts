import { ClusterPki, Distribution, Generation } from "../../lib";
import { copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { attempt } from "../sandbox/command";
import { findTools } from "../sandbox/tools";
import { Workspace } from "./workspace";

const CLUSTER = {
  name: "prod",
  endpoint: "api.prod.example.com:6443",
  serviceCidrs: ["10.96.0.0/12"],
  controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
};

/** Our name of what kubeadm calls otherwise, without `/etc/kubernetes/` and `pki/`. */
const PATHS: Readonly<Record<string, string>> = {
  "etcd-ca": "etcd/ca.crt",
  "etcd-healthcheck-client": "etcd/healthcheck-client.crt",
  "etcd-peer": "etcd/peer.crt",
  "etcd-server": "etcd/server.crt",
};

jest.setTimeout(300_000);

interface Row {
  readonly name: string;
  readonly caName?: string;
  readonly residualTime: number;
  readonly expirationDate: string;
  readonly externallyManaged: boolean;
  readonly missing: boolean;
}

interface Document {
  readonly certificates: readonly Row[];
  readonly certificateAuthorities: readonly Row[];
}

let workspace: Workspace;
let root: string;

beforeAll(async () => {
  workspace = await Workspace.create();
  workspace.synth("prod", (stack) => {
    const generations = { g1: Generation.active(), g2: Generation.trusted() };
    const authorities = { kubernetes: { generations } };
    new ClusterPki(stack, "pki", {
      addressPrefix: "pki",
      distribution: Distribution.KUBEADM,
      cluster: CLUSTER,
      authorities,
    });
  });
  await workspace.apply("prod");
  root = await workspace.export(["--machine", "cp-1"], "cp-1", "prod");
  const operator = await workspace.export(["--operator"], "operator", "prod");
  copyFileSync(path.join(operator, "super-admin.conf"), path.join(root, "etc/kubernetes/super-admin.conf"));
});

afterAll(() => workspace?.remove());

async function kubeadm(...args: string[]): Promise<string> {
  const tools = await findTools(["kubeadm"]);
  const command = [tools.kubeadm, "certs", "check-expiration", ...args, "--rootfs", root];
  // --rootfs is a chroot.
  const [program, ...rest] = process.getuid?.() === 0 ? command : ["unshare", "-r", ...command];
  const { code, stdout } = await attempt(program!, rest, { env: { PATH: process.env["PATH"] } });
  expect(code).toBe(0);
  return stdout.slice(stdout.search(/^(CERTIFICATE|\{)/m));
}

async function status(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await workspace.kubernetesPki("status", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** Cells of every line of the two tables, names of kubeadm as paths. */
function cells(text: string): string[][] {
  return text.split("\n").map((line) => line.trimEnd().split(/ {2,}/).map(pathOf));
}

function pathOf(name: string): string {
  if (/^(apiserver|front-proxy|etcd|ca)[a-z-]*$/.test(name)) {
    return `/etc/kubernetes/pki/${PATHS[name] ?? `${name}.crt`}`;
  }
  return name.endsWith(".conf") && !name.startsWith("/") ? `/etc/kubernetes/${name}` : name;
}

/** What kubeadm does not look at: the kubelet's kubeconfig, and every certificate of a bundle but the first. */
function knownToKubeadm(name: string): boolean {
  return !/kubelet\.conf$|#2$/.test(name);
}

function sorted(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => row.join(" | ")).sort();
}

test("a control plane's files have the tables that kubeadm prints: columns, dates, authorities", async () => {
  const [theirs, ours] = [cells(await kubeadm()), cells(await status("--root", root))];
  expect(theirs.length).toBeGreaterThan(16);
  expect(sorted(ours.filter(([name]) => knownToKubeadm(name!)))).toEqual(sorted(theirs));
  expect(ours.map(([name]) => name).filter((name) => !knownToKubeadm(name!))).toEqual([
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/pki/ca.crt#2",
  ]);
});

test("its JSON has kubeadm's fields and values", async () => {
  const read = (text: string) => JSON.parse(text) as Document;
  const theirs = read(await kubeadm("-o", "json"));
  const ours = read(await status("--root", root, "-o", "json"));
  // Each ran at its own second.
  const comparable = ({ name, caName, residualTime, expirationDate, externallyManaged, missing }: Row) =>
    JSON.stringify({
      name: pathOf(name),
      caName: caName && pathOf(caName),
      days: Math.floor(residualTime / 86_400),
      ...{ expirationDate, externallyManaged, missing },
    });
  const fields = (row: object) => Object.keys(row).sort();
  // A reader of kubeadm's finds all of it, and more.
  expect(fields(ours.certificates[0]!)).toEqual(
    [...fields(theirs.certificates[0]!), "alternativeNames", "usages"].sort(),
  );
  for (const list of ["certificates", "certificateAuthorities"] as const) {
    const known = ours[list].filter(({ name }) => knownToKubeadm(name));
    expect(known.map(comparable).sort()).toEqual(theirs[list].map(comparable).sort());
  }
});

test("a state says the same of each certificate, by machine and row", async () => {
  const dates = (text: string) => cells(text).map(([, date, left]) => `${date} ${left}`);
  const state = await status(workspace.stack("prod"));
  expect(cells(state).map(([name]) => name)).toEqual([
    "CERTIFICATE",
    "cp-1/admin",
    "cp-1/apiserver",
    "cp-1/apiserver-etcd-client",
    "cp-1/apiserver-kubelet-client",
    "cp-1/controller-manager",
    "cp-1/etcd-healthcheck-client",
    "cp-1/etcd-peer",
    "cp-1/etcd-server",
    "cp-1/front-proxy-client",
    "cp-1/kubelet",
    "cp-1/scheduler",
    "operator/admin",
    "operator/super-admin",
    "",
    "CERTIFICATE AUTHORITY",
    "etcd g1",
    "front-proxy g1",
    "kubernetes g1",
    "kubernetes g2",
    "",
  ]);
  expect(new Set(dates(state))).toEqual(new Set(dates(await status("--root", root))));
  expect(state).not.toContain("PRIVATE KEY");
});

test("the output of `show -json` is read from a file as well", async () => {
  const file = path.join(workspace.folder, "show.json");
  writeFileSync(file, await workspace.show("prod"));
  expect(await status(file)).toBe(await status(workspace.stack("prod")));
});
