import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import type { Changes } from "../../../lib/export/changes";
import { MACHINE_RECORDS } from "../../../lib/export/record";
import type { Order } from "../../../lib/export/write-files";
import {
  CA_CERT,
  CA_CERT_REFERENCE,
  CA_KEY,
  CA_KEY_REFERENCE,
  exportState,
  file,
  filesBelow,
  folder,
  pkiState,
  put,
  recordsBelow,
} from "../cli/command";

jest.setTimeout(240_000);

const repository = resolve(__dirname, "../../..");
const CRT = "/etc/kubernetes/pki/ca.crt";
const KEY = "/etc/kubernetes/pki/ca.key";
const FOREIGN = "somebody's own";
const root = (path = ""): string => join(folder, "root", path);

/** Kills the program before the call of the system with that number, or when half of a file is written. */
const PROBE = `
const fs = require("node:fs");
let calls = 0;
const die = () => process.kill(process.pid, "SIGKILL");
for (const name of ["mkdirSync", "openSync", "writeFileSync", "fsyncSync", "fchmodSync", "renameSync", "unlinkSync"]) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (/lib.export/.test(new Error().stack) && (name !== "openSync" || args[1] === "wx")) {
      calls++;
      if (calls === Number(process.env.KILL_AT)) {
        if (name === "writeFileSync") original(args[0], args[1].subarray(0, args[1].length / 2));
        die();
      }
    }
    return original(...args);
  };
}
process.on("exit", () => fs.writeSync(2, "calls " + calls));
`;

/** Translates what writes files, without its types: a program that is started as often as this one has to start fast. */
function translate(): void {
  for (const directory of ["lib/export", "lib/terraform-json"]) {
    for (const name of readdirSync(join(repository, directory))) {
      const { outputText } = transpileModule(readFileSync(join(repository, directory, name), "utf8"), {
        compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 },
      });
      put(join(directory, name.replace(/ts$/, "js")), outputText);
    }
  }
  put("probe.js", PROBE);
  put("main.js", MAIN);
}

const MAIN = `
require("./probe.js");
require("./lib/export/write-files.js").writeFiles(JSON.parse(process.env.ORDER));
`;

/** Exports both files in a program of its own. Returns how many calls it made; undefined when it was killed. */
function exportUntil(killAt: number): number | undefined {
  const order: Order = {
    root: root(),
    files: [
      { path: CRT, mode: "0644", owner: "root:root", text: CA_CERT },
      { path: KEY, mode: "0600", owner: "root:root", text: CA_KEY },
    ],
    origins: [{ prefix: "pki", stack: "access", holder: "cp-1", fingerprints: [], paths: [CRT, KEY] }],
    directoryMode: 0o755,
    records: MACHINE_RECORDS,
    prune: false,
  };
  const env = { ORDER: JSON.stringify(order), KILL_AT: String(killAt) };
  const { signal, stderr } = spawnSync(process.execPath, [join(folder, "main.js")], { env, encoding: "utf8" });
  return signal === "SIGKILL" ? undefined : Number(/calls (\d+)$/.exec(stderr)?.[1]);
}

/** Kills an export before each of its calls, on a root that is prepared anew. */
function atEveryMoment(
  prepare: () => void,
): { moment: number; check: (action: () => Promise<void>) => Promise<void> }[] {
  translate();
  prepare();
  const calls = exportUntil(0)!;
  expect(calls).toBeGreaterThan(15);
  return Array.from({ length: calls }, (_, index) => ({
    moment: index + 1,
    check: async (action) => {
      rmSync(root(), { recursive: true, force: true });
      prepare();
      expect(exportUntil(index + 1)).toBeUndefined();
      await action();
    },
  }));
}

const isTemporary = (path: string): boolean => path.endsWith(".tmp");
const exportCrt = (...more: string[]) => exportState(pkiState({ "cp-1": { [CRT]: file(CA_CERT_REFERENCE) } }), ...more);

test("whenever an export is killed, files are whole, and the next one knows and tidies what it left", async () => {
  const whole: Readonly<Record<string, string>> = { [CRT]: CA_CERT, [KEY]: CA_KEY };
  let leftovers = 0;
  let obsolete = 0;
  for (const { moment, check } of atEveryMoment(() => undefined)) {
    await check(async () => {
      const left = existsSync(root()) ? filesBelow(root()) : [];
      const files = left.filter((path) => !isTemporary(path));
      expect([moment, files.map((path) => readFileSync(root(path), "utf8"))]).toEqual([
        moment,
        files.map((path) => whole[path]),
      ]);
      const temporary = left.filter(isTemporary).length;
      leftovers += temporary;
      // In the map of the next export there is one file less.
      const { code, out, err } = await exportCrt();
      const hasKey = files.includes(KEY);
      obsolete += Number(hasKey);
      expect([moment, code, out.includes(`- - ${KEY} obsolete`)]).toEqual([moment, 0, hasKey]);
      expect([moment, err.includes("temporary file")]).toEqual([moment, temporary > 0]);
      expect([moment, filesBelow(root())]).toEqual([moment, hasKey ? [CRT, KEY] : [CRT]]);
      await exportCrt("--prune");
      expect([moment, filesBelow(root())]).toEqual([moment, [CRT]]);
    });
  }
  expect(leftovers).toBeGreaterThan(5);
  expect(obsolete).toBeGreaterThan(1);
});

test("whenever it is killed, the next export that tells of changes tells of all that it wrote", async () => {
  const entry = { kind: "authority", cluster: "pki", name: "kubernetes", path: "pki", addresses: [] };
  const files = [CRT, KEY].map((path) => ({ holder: "cp-1", path, kind: "bundle", consumers: [] }));
  put("inventory.json", { schemaVersion: 2, stack: "pki", entries: [{ ...entry, files }] });
  let earlier = 0;
  let ends = 0;
  for (const { moment, check } of atEveryMoment(() => undefined)) {
    await check(async () => {
      // At the last moments whoever called it has the list: it is told of nothing any more.
      const [record] = existsSync(root()) ? recordsBelow(root()) : [];
      const isTold = record !== undefined && !readFileSync(root(record), "utf8").includes("untold");
      ends += Number(isTold);
      const map = { [CRT]: file(CA_CERT_REFERENCE), [KEY]: file(CA_KEY_REFERENCE, "0600") };
      const argv = ["--changes", "json", "--inventory", "inventory.json"];
      const { out } = await exportState(pkiState({ "cp-1": map }), ...argv);
      const { files: told } = JSON.parse(out) as Changes;
      earlier += told.filter((changed) => changed.earlier).length;
      expect([moment, told.map(({ path, change }) => `${path} ${change}`)]).toEqual([
        moment,
        isTold ? [] : [`${CRT} written`, `${KEY} written`],
      ]);
    });
  }
  expect(earlier).toBeGreaterThan(5);
  expect(ends).toBeLessThan(3);
});

test("whenever it is killed, what was somebody's before and still is is not taken for its own", async () => {
  let kept = 0;
  for (const { moment, check } of atEveryMoment(() => put(`root${KEY}`, FOREIGN))) {
    await check(async () => {
      const before = readFileSync(root(KEY), "utf8");
      await exportCrt("--prune");
      if (before === FOREIGN) {
        kept++;
        expect([moment, readFileSync(root(KEY), "utf8")]).toEqual([moment, FOREIGN]);
      }
    });
  }
  expect(kept).toBeGreaterThan(10);
});
