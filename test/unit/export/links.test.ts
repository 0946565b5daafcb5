import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs, { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  CA_CERT_REFERENCE,
  CA_KEY_REFERENCE,
  CP_1,
  expectOneLine,
  exportState,
  file,
  filesBelow,
  folder,
  pkiState,
  put,
  Result,
} from "../cli/command";

const CRT = "/etc/kubernetes/pki/ca.crt";
const KEY = "/etc/kubernetes/pki/ca.key";
const root = (path = ""): string => join(folder, "root", path);
const outside = (path = ""): string => join(folder, "outside", path);
const exportCp1 = (...more: string[]): Promise<Result> => exportState(pkiState({ "cp-1": CP_1 }), ...more);

beforeEach(() => mkdirSync(outside()));
afterEach(() => jest.restoreAllMocks());

/** How the system reaches a name in an open folder: Linux by /proc, others look at the whole way again. */
const SYSTEMS: readonly (readonly [name: string, prepare: () => void])[] = [
  ["with /proc", () => undefined],
  [
    "without /proc",
    () => {
      const { existsSync } = fs;
      jest
        .spyOn(fs, "existsSync")
        .mockImplementation((path) => !/^\/proc\/self\/fd/.test(String(path)) && existsSync(path));
    },
  ],
];

describe.each(SYSTEMS)("a link on the way to a file, on a system %s,", (_, prepare) => {
  beforeEach(prepare);

  const WAYS = ["etc", "etc/kubernetes", "etc/kubernetes/pki"] as const;

  test.each(WAYS)("is refused out of the root at %s, and named with what to do", async (way) => {
    mkdirSync(join(root(way), ".."), { recursive: true });
    symlinkSync(outside(), root(way));
    const result = await exportCp1();
    expectOneLine(
      result,
      `cannot write ${root(CRT)}: ${root(way)} is a link to "${outside()}", and export follows none`,
    );
    expectOneLine(result, "put a folder there, or mount the one that is meant (mount --bind)");
    expect(readdirSync(outside())).toEqual([]);
    expect(filesBelow(root())).toEqual([]);
  });

  test.each(WAYS)("is refused at %s, though it leads to a folder in the root", async (way) => {
    mkdirSync(root("data/kubernetes/pki"), { recursive: true });
    mkdirSync(join(root(way), ".."), { recursive: true });
    symlinkSync(root("data"), root(way));
    expectOneLine(await exportCp1(), `${root(way)} is a link to`);
    expect(filesBelow(root())).toEqual([]);
  });

  test.each([
    ["that leads up", "../../outside"],
    ["that leads nowhere", "nowhere"],
    ["that leads to itself", "kubernetes"],
    ["whose target has a line of its own", "a\nkubernetes-pki: all is well"],
  ])("is refused %s", async (_, target) => {
    mkdirSync(root("etc"), { recursive: true });
    symlinkSync(target, root("etc/kubernetes"));
    expectOneLine(await exportCp1(), `${root("etc/kubernetes")} is a link to`);
    expect([filesBelow(root()), readdirSync(outside())]).toEqual([[], []]);
  });

  test("is refused on the way to the record of what was written", async () => {
    mkdirSync(root("var/lib"), { recursive: true });
    symlinkSync(outside(), root("var/lib/kubernetes-pki"));
    expectOneLine(await exportCp1(), `${root("var/lib/kubernetes-pki")} is a link to`);
    expect([filesBelow(root()), readdirSync(outside())]).toEqual([[], []]);
  });

  test("is followed at --root itself, which the user named, and before it", async () => {
    symlinkSync(outside(), join(folder, "root"));
    expect(await exportCp1()).toMatchObject({ code: 0 });
    expect(filesBelow(outside())).toEqual([CRT, KEY]);
    renameSync(outside(), join(folder, "moved"));
    rmSync(join(folder, "root"));
    symlinkSync(join(folder, "moved"), outside());
    symlinkSync(outside("new"), join(folder, "root"));
    mkdirSync(outside("new"));
    expect(await exportCp1()).toMatchObject({ code: 0 });
    expect(filesBelow(join(folder, "moved/new"))).toEqual([CRT, KEY]);
  });

  test("that takes a folder's name after it was looked at is not followed, and is told", async () => {
    mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
    const { fsyncSync, openSync } = fs;
    let isSwapped = false;
    const places: string[] = [];
    jest.spyOn(fs, "openSync").mockImplementation((path, flags, ...more) => {
      if (flags === "wx") {
        places.push(fs.realpathSync(dirname(String(path))));
      }
      return openSync(path, flags, ...more);
    });
    // The first file to be ready stands beside its place.
    jest.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
      fsyncSync(descriptor);
      if (!isSwapped && filesBelow(root("etc")).length > 0) {
        isSwapped = true;
        renameSync(root("etc/kubernetes/pki"), root("etc/kubernetes/pki.real"));
        symlinkSync(outside(), root("etc/kubernetes/pki"));
      }
    });
    expectOneLine(await exportCp1(), `${root("etc/kubernetes/pki")} is a link to`);
    expect(isSwapped).toBe(true);
    expect(places.filter((place) => !place.startsWith(fs.realpathSync(root())))).toEqual([]);
    expect(filesBelow(root("etc")).filter((name) => !name.endsWith(".tmp"))).toEqual([]);
    expect(readdirSync(outside())).toEqual([]);
  });

  test("that another folder took the place of one is told", async () => {
    mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
    const { fsyncSync } = fs;
    let isSwapped = false;
    jest.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
      fsyncSync(descriptor);
      if (!isSwapped && filesBelow(root("etc")).length > 0) {
        isSwapped = true;
        renameSync(root("etc/kubernetes"), root("etc/kubernetes.real"));
        mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
      }
    });
    expectOneLine(await exportCp1(), /root\/etc\/kubernetes(\/pki)? was moved or replaced while files were written/);
  });
});

test("a link to a file in the record's place is not followed", async () => {
  await exportCp1();
  const records = root("var/lib/kubernetes-pki");
  const [record] = readdirSync(records);
  renameSync(join(records, record!), outside("record"));
  symlinkSync(outside("record"), join(records, record!));
  expectOneLine(await exportCp1(), "a link stands there, which is not followed");
});

test("a file that takes another's name after it was compared is not given away", async () => {
  await exportCp1();
  fs.chmodSync(root(KEY), 0o640);
  const victim = put("outside/victim", "somebody's");
  fs.chmodSync(victim, 0o640);
  const { openSync } = fs;
  let opened = 0;
  jest.spyOn(fs, "openSync").mockImplementation((path, ...more) => {
    // First it is compared, then it is corrected.
    if (/\/ca\.key$/.test(String(path)) && ++opened === 2) {
      rmSync(root(KEY));
      fs.linkSync(victim, root(KEY));
    }
    return openSync(path, ...more);
  });
  expectOneLine(await exportCp1(), `cannot write ${root(KEY)}: it was replaced meanwhile`);
  expect((fs.statSync(victim).mode & 0o777).toString(8)).toBe("640");
});

test("no folder stays open", async () => {
  const open = () => readdirSync("/proc/self/fd").length;
  await exportCp1();
  const before = open();
  await exportCp1();
  mkdirSync(root("etc/link"));
  await exportState(pkiState({ "cp-1": { "/etc/kubernetes/pki/ca.crt/x": file("x") } }));
  expect(open()).toBe(before);
});

/** Takes turns with a folder and a link out of the root, as fast as it can. */
const FLIP = `
const fs = require("node:fs");
const [folder, outside] = process.argv.slice(1);
process.send("ready");
for (;;) {
  try {
    fs.renameSync(folder, folder + ".real");
    fs.symlinkSync(outside, folder);
    fs.unlinkSync(folder);
    fs.renameSync(folder + ".real", folder);
  } catch {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder + ".real", { recursive: true });
    try { fs.renameSync(folder + ".real", folder); } catch {}
  }
}`;

describe("against somebody who swaps a folder and a link in a loop,", () => {
  let flipper: ChildProcess;
  afterEach(async () => {
    const ended = once(flipper, "exit");
    flipper.kill("SIGKILL");
    await ended;
  });

  /** All that is outside, and when it was changed last: a file that came and went changed its folder. */
  function everythingOutside(): string[] {
    const names = ["", ...(readdirSync(outside(), { recursive: true }) as string[])].sort();
    return names.map((name) => {
      const { ino, mode, uid, mtimeNs, ctimeNs } = fs.lstatSync(outside(name), { bigint: true });
      return [name, ino, mode, uid, mtimeNs, ctimeNs].join(" ");
    });
  }

  test.each(["etc/kubernetes/pki", "etc/kubernetes", "etc"])(
    "nothing is ever written, corrected or deleted out of the root, wherever that is: %s",
    async (way) => {
      const OLD = "/etc/kubernetes/pki/old.crt";
      mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
      // Whatever part of the way is left out, the same names are there.
      for (const path of [CRT, KEY, OLD]) {
        const rest = path.slice(way.length + 1);
        put(`outside${rest}`, "x");
        fs.chmodSync(outside(rest), 0o666);
      }
      const before = everythingOutside();
      flipper = spawn(process.execPath, ["-e", FLIP, root(way), outside()], {
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      });
      await once(flipper, "message");
      const seen = new Set<string>();
      const allSeen = () => ["written", "refused", "deleted"].every((what) => seen.has(what));
      for (let turn = 0; turn < 200 || (!allSeen() && turn < 5000); turn++) {
        const reference = turn % 3 === 0 ? CA_KEY_REFERENCE : CA_CERT_REFERENCE;
        const old = turn % 2 === 0 ? { [OLD]: file("x") } : {};
        const mode = turn % 5 === 0 ? "0640" : "0600";
        const files = { [CRT]: file(reference), [KEY]: file("x", mode), ...old };
        const { code, out, err } = await exportState(pkiState({ "cp-1": files }), "--prune");
        seen.add(code === 0 ? "written" : /is a link/.test(err) ? "refused" : "disturbed");
        if (out.includes(`${OLD} deleted`)) {
          seen.add("deleted");
        }
        expect(err).toMatch(/^(kubernetes-pki: [^\n]+\n)*$/);
        expect(err).not.toContain("internal error");
      }
      expect(everythingOutside()).toEqual(before);
      // Otherwise nobody took turns.
      expect([allSeen(), ...seen]).toContain(true);
    },
    60_000,
  );
});
