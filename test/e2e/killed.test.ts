import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { run as kubernetesPki } from "../../lib/cli/main";
import type { PlanReport } from "../../lib/plan/judge/report";
import { Random } from "../campaign/random";
import { killExports } from "../kill/killed-export";
import { BackendName, Moment, Stand } from "../kill/stand";
import type { Step } from "../kill/rotation";
import { Held, heldIn } from "../kill/states";

// A fixed part of `npm run kill`: applies of a rotation that are killed, and states that were lost or are of an earlier time. What
// docs/rotation.md says of them is done here, with its scripts.

jest.setTimeout(300_000);

const folder = mkdtempSync(path.join(tmpdir(), "killed-"));
const stands = new Map<BackendName, Stand>();

beforeAll(async () => {
  const engine = (process.env["TERRAFORM_BINARY_NAME"] || "terraform") as "terraform";
  for (const backend of ["local", "http"] as const) {
    stands.set(backend, await Stand.create(path.join(folder, backend), engine, backend));
  }
  await stands.get("local")!.undisturbed();
  await stands.get("http")!.like(stands.get("local")!);
});

afterAll(async () => {
  await Promise.all([...stands.values()].map((stand) => stand.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const MOMENTS: Readonly<Record<BackendName, readonly [Step, Moment][]>> = {
  local: [
    ["introduce", { kind: "write", at: 3, delay: 0 }],
    ["promote", { kind: "line", at: 20, delay: 3 }],
  ],
  http: [
    // Half of the last state, then all of it, before who sent it hears so.
    ["promote", { kind: "write", at: 1, delay: 0 }],
    ["promote", { kind: "write", at: 2, delay: 0 }],
  ],
};

describe.each<BackendName>(["local", "http"])("a state in a backend of the kind %s", (backend) => {
  let stand: Stand;

  beforeAll(() => {
    stand = stands.get(backend)!;
  });

  test.each(MOMENTS[backend].map(([step, moment]) => [step, `${moment.kind} ${moment.at}`, moment] as const))(
    "%s, killed at %s: applied again, nothing is issued twice, and every certificate has its key",
    async (step, _, moment) => {
      const outcome = await stand.point(step, moment);
      expect(outcome).toMatchObject({ wasKilled: true, faults: [] });
      expect(outcome.wasLocked).toBe(backend === "http");
      // Where it was lost, nothing but the code knew.
      expect(outcome.wasRestored).toBe(outcome.left !== "whole");
      if (outcome.left === "empty") {
        expect(outcome.refusal).toContain("[fingerprint]");
      }
    },
  );

  test("emptied after a delivery: the apply stops, says what to restore, and all is as it was", async () => {
    const { after } = stand.course("promote");
    const backup = path.join(folder, `${backend}-backup.tfstate`);
    stand.reset(after);
    stand.synthesize("promote");
    expect(await stand.script("backup.sh", stand.stack, backup)).toMatchObject({ code: 0 });
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    // It is never overwritten.
    expect((await stand.script("backup.sh", stand.stack, backup)).code).not.toBe(0);

    stand.reset("");
    const another = `${backup}-empty`;
    expect((await stand.script("backup.sh", stand.stack, another)).code).not.toBe(0);
    expect(existsSync(another)).toBe(false);
    await expectRefused(stand);
    expect(heldIn(stand.state)?.filter(({ certificate }) => certificate) ?? []).toEqual([]);

    await expectRestored(stand, backup, after);
  });
});

describe("a state of an earlier time", () => {
  const backend = "local";
  let stand: Stand;

  beforeAll(() => {
    stand = stands.get(backend)!;
  });

  test("of the time before g2 was introduced, after that was delivered: its fingerprint stops the apply", async () => {
    const { before, after } = stand.course("introduce");
    const backup = path.join(folder, `${backend}-introduced.tfstate`);
    stand.reset(after);
    // Which fingerprints are in the code stands in an output.
    stand.synthesizePinned("introduce");
    expect(await stand.apply()).toMatchObject({ code: 0 });
    const introduced = stand.state;
    writeFileSync(backup, introduced);
    stand.reset(before);
    await expectRefused(stand);
    await expectRestored(stand, backup, introduced);
  });

  test("of the time before the promotion, after that was delivered: issued again, with the same keys and authorities", async () => {
    const { before, after } = stand.course("promote");
    stand.reset(before);
    stand.synthesize("promote");
    expect(await stand.apply()).toMatchObject({ code: 0 });
    const again = heldIn(stand.state)!;
    const delivered = heldIn(after)!;
    const isLeaf = ({ certificate }: Held) => certificate?.ca === false;
    expect(again.filter((one) => !isLeaf(one)).map(({ id }) => id)).toEqual(
      delivered.filter((one) => !isLeaf(one)).map(({ id }) => id),
    );
    const authorities = again.flatMap(({ certificate }) => (certificate?.ca ? [certificate] : []));
    for (const one of delivered.filter(isLeaf)) {
      const other = again.find(({ address }) => address === one.address)!;
      expect([one.address, other.publicKey, other.id === one.id]).toEqual([one.address, one.publicKey, false]);
      const signers = [one, other].map(({ certificate }) =>
        authorities.findIndex((ca) => certificate!.checkIssued(ca) && certificate!.verify(ca.publicKey)),
      );
      expect(signers).toEqual([signers[0], signers[0]]);
      expect(signers[0]).not.toBe(-1);
    }
  });
});

test("an export that is killed leaves whole files, and the next one ends where one would that nobody killed", async () => {
  const { killed, faults, earlier } = await killExports(
    stands.get("local")!,
    path.join(folder, "export"),
    4,
    new Random(3),
  );
  expect({ killed, faults }).toEqual({ killed: 4, faults: [] });
  expect(earlier).toBeGreaterThan(0);
});

test("half of a state is refused by the apply, and has to be removed before another is put in its place", async () => {
  const stand = stands.get("local")!;
  const { after } = stand.course("introduce");
  const backup = path.join(folder, "whole.tfstate");
  writeFileSync(backup, after);
  stand.reset(after.slice(0, after.length / 2));
  stand.synthesize("introduce");
  expect((await stand.apply()).code).toBe(1);
  expect((await stand.script("restore.sh", stand.stack, backup)).code).not.toBe(0);
  rmSync(stand.stateFile);
  await expectRestored(stand, backup, after);
});

test("an emptied file is refused by the command, which names the backup beside it", async () => {
  const stand = stands.get("local")!;
  stand.reset("");
  writeFileSync(`${stand.stateFile}.backup`, stand.course("promote").before);
  const { code, text } = await command(stand, "status", stand.stack);
  expect(code).toBe(1);
  expect(text).toContain("has 0 bytes");
  expect(text).toContain("rotation.tfstate.backup");
});

test("a whole authority replaced in one step is two dangers, of each of them", async () => {
  const stand = stands.get("local")!;
  stand.reset(stand.course("introduce").before);
  stand.synthesize("replace");
  await stand.must("plan", "-no-color", "-input=false", "-out=plan");
  const plan = path.join(folder, "plan.json");
  writeFileSync(plan, await stand.must("show", "-json", "plan"));
  const inventory = path.join(stand.stack, "pki-inventory.json");
  const { code, text } = await command(stand, "plan", "--format", "json", "--inventory", inventory, plan);
  expect(code).toBe(3);
  const { dangers } = JSON.parse(text) as PlanReport;
  expect(dangers.map(({ code, name }) => `${code}=${name}`).sort()).toEqual(
    ["etcd", "front-proxy", "kubernetes", "service-account"]
      .flatMap((name) => [`introduced-and-promoted=${name} g2`, `trust-removed=${name} g1`])
      .sort(),
  );
});

/** The apply stops, says why, and signs nothing. */
async function expectRefused(stand: Stand): Promise<void> {
  const { code, stderr } = await stand.apply();
  const text = stderr.replace(/[│╷╵]/g, " ").replace(/\s+/g, " ");
  expect(code).toBe(1);
  expect(text).toContain('[fingerprint] fingerprint: given "another key than the one that the code names"');
  expect(text).toContain("if the state was lost, restore it from its backup before you apply again");
}

async function expectRestored(stand: Stand, backup: string, state: string): Promise<void> {
  const { code, stdout } = await stand.script("restore.sh", stand.stack, backup);
  expect([code, stdout]).toEqual([0, expect.stringContaining("No changes.") as string]);
  expect(await stand.apply()).toMatchObject({ code: 0 });
  expect(heldIn(stand.state)!.map(({ address, id }) => `${address} ${id}`)).toEqual(
    heldIn(state)!.map(({ address, id }) => `${address} ${id}`),
  );
}

async function command(stand: Stand, ...args: string[]): Promise<{ code: number; text: string }> {
  let text = "";
  const stream = new Writable({ write: (chunk, _, done) => done(void (text += String(chunk))) });
  const io = { stdin: process.stdin, stdout: stream, stderr: stream, cwd: folder, env: stand.env };
  return { code: await kubernetesPki(args, io as never), text };
}
