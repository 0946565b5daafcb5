import fs, {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  CA_CERT,
  CA_CERT_REFERENCE,
  CA_KEY,
  CA_KEY_REFERENCE,
  CP_1,
  expectOneLine,
  exportState,
  file,
  filesBelow,
  folder,
  kubernetesPki,
  pkiState,
  put,
  unprivileged,
} from "../cli/command";

const CRT = "/etc/kubernetes/pki/ca.crt";
const KEY = "/etc/kubernetes/pki/ca.key";
const EPOCH = new Date(1_000_000_000_000);
const isRoot = process.getuid?.() === 0;

const root = (path = ""): string => join(folder, "root", path);
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
/** A path below the test's folder, whatever way it is reached, and without what is different in each temporary file. */
const nameOf = (path: unknown): string => {
  const shown = String(path).replace(/^\/proc\/self\/fd\/\d+/, (opened) => fs.readlinkSync(opened));
  return shown.slice(folder.length).replace(/\.[0-9a-f]{12}-[0-9a-f-]{36}\.tmp$/, "");
};
const RECORD = "/root/var/lib/kubernetes-pki/.pki-cp-1-cc3f5bbcdc33.json";
const exportCp1 = (): ReturnType<typeof exportState> => exportState(pkiState({ "cp-1": CP_1 }));

let umask: number;
beforeEach(() => (umask = process.umask(0o022)));
afterEach(() => {
  process.umask(umask);
  jest.restoreAllMocks();
});

describe("the files that are written", () => {
  test.each([0o000, 0o022, 0o077])("have exactly the modes of the map under the umask %o", async (mask) => {
    process.umask(mask);
    await exportState(pkiState({ "cp-1": { ...CP_1, "/shared.key": file(CA_KEY_REFERENCE, "0640") } }));
    expect([CRT, KEY, "/shared.key"].map((path) => mode(root(path)))).toEqual(["644", "600", "640"]);
  });

  test("have their mode from the beginning, so that nobody can open a key before it is written", async () => {
    process.umask(0);
    const modes: string[] = [];
    const open = fs.openSync;
    jest.spyOn(fs, "openSync").mockImplementation((path, flags, ...more) => {
      const opened = open(path, flags, ...more);
      if (flags === "wx") {
        modes.push(`${nameOf(path)} ${mode(path as string)}`);
      }
      return opened;
    });
    await exportCp1();
    jest.restoreAllMocks();
    const pki = "/root/etc/kubernetes/pki";
    expect(modes).toEqual([`${RECORD} 600`, `${pki}/.ca.crt 644`, `${pki}/.ca.key 600`, `${RECORD} 600`]);
  });

  test("are on the disk before they are renamed, and the names of files and new folders afterwards", async () => {
    const calls: string[] = [];
    const opened = new Map<number, string>();
    const { openSync, fsyncSync, renameSync } = fs;
    jest.spyOn(fs, "openSync").mockImplementation((path, ...more) => {
      const descriptor = openSync(path, ...more);
      opened.set(descriptor, nameOf(path));
      return descriptor;
    });
    jest.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
      // What is not written yet would not be on the disk.
      const size = fs.fstatSync(descriptor).size;
      calls.push(`sync ${opened.get(descriptor)}${size > 0 ? "" : " (empty)"}`);
      fsyncSync(descriptor);
    });
    jest.spyOn(fs, "renameSync").mockImplementation((from, to) => {
      calls.push(`rename ${nameOf(to)}`);
      renameSync(from, to);
    });
    await exportCp1();
    const pki = "/root/etc/kubernetes/pki";
    const start = calls.indexOf(`sync ${pki}/.ca.crt`);
    expect(calls.slice(0, start).sort()).toEqual(
      [
        `rename ${RECORD.replace("/.", "/")}`,
        ...["", "/root", "/root/var", "/root/var/lib", "/root/var/lib/kubernetes-pki", RECORD].map(
          (path) => `sync ${path}`,
        ),
      ].sort(),
    );
    expect(calls.slice(start, start + 4)).toEqual([
      `sync ${pki}/.ca.crt`,
      `sync ${pki}/.ca.key`,
      `rename ${pki}/ca.crt`,
      `rename ${pki}/ca.key`,
    ]);
    expect(calls.slice(start + 4, start + 8).sort()).toEqual(
      ["/root", "/root/etc", "/root/etc/kubernetes", pki].map((path) => `sync ${path}`),
    );
    // That the list will name them.
    expect(calls.slice(start + 8)).toEqual([
      `sync ${RECORD}`,
      `rename ${RECORD.replace("/.", "/")}`,
      "sync /root/var/lib/kubernetes-pki",
    ]);
  });

  test("are written where a folder cannot be synced", async () => {
    const { fsyncSync } = fs;
    jest.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
      if (fs.fstatSync(descriptor).isDirectory()) {
        throw Object.assign(new Error(), { code: "EINVAL" });
      }
      fsyncSync(descriptor);
    });
    expect(await exportCp1()).toMatchObject({ code: 0 });
    expect(filesBelow(root())).toEqual([CRT, KEY]);
  });

  test("stand in folders that a machine's components may enter", async () => {
    await exportCp1();
    expect(["", "etc", "etc/kubernetes/pki"].map((path) => mode(root(path)))).toEqual(["755", "755", "755"]);
  });

  test("stand in folders that only the operator may enter, where they are the operator's", async () => {
    const stdin = JSON.stringify(pkiState({ operator: { "/prod/admin.conf": file("x", "0600") } }));
    await kubernetesPki(["export", "--operator", "--root", "root", "-"], { stdin });
    expect(["", "prod"].map((path) => mode(root(path)))).toEqual(["700", "700"]);
  });

  test("stand in folders that another export made in the same moment", async () => {
    const make = fs.mkdirSync;
    jest.spyOn(fs, "mkdirSync").mockImplementation((path, options) => {
      make(path, options);
      return make(path, options);
    });
    expect(await exportCp1()).toMatchObject({ code: 0 });
  });

  test("stand in a folder into which one may write, but not look", async () => {
    mkdirSync(root("etc"), { recursive: true });
    if (isRoot) {
      fs.chownSync(root("etc"), 65534, 65534);
    }
    chmodSync(root("etc"), 0o333);
    chmodSync(root(), 0o777);
    expect(await unprivileged(exportCp1)).toMatchObject({ code: 0 });
    chmodSync(root("etc"), 0o755);
    expect(filesBelow(root())).toEqual([CRT, KEY]);
  });

  test("are whole: nothing is left beside them", async () => {
    await exportCp1();
    expect(filesBelow(root())).toEqual([CRT, KEY]);
    expect([CRT, KEY].map((path) => readFileSync(root(path), "utf8"))).toEqual([CA_CERT, CA_KEY]);
  });

  test("replace a link, and leave what it led to", async () => {
    mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
    const elsewhere = put("elsewhere", CA_CERT);
    symlinkSync(elsewhere, root(CRT));
    const { out } = await exportCp1();
    expect(out).toContain(`${CRT} written`);
    expect(lstatSync(root(CRT)).isFile()).toBe(true);
    expect(readFileSync(elsewhere, "utf8")).toBe(CA_CERT);
  });
});

describe("a second export", () => {
  test("leaves what is right already untouched", async () => {
    await exportCp1();
    utimesSync(root(KEY), EPOCH, EPOCH);
    const before = statSync(root(KEY));
    const { out } = await exportCp1();
    expect(out).toBe(`0644 root:root ${CRT} unchanged\n0600 root:root ${KEY} unchanged\n`);
    const { ino, mtimeMs, ctimeMs } = statSync(root(KEY));
    expect({ ino, mtimeMs, ctimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs, ctimeMs: before.ctimeMs });
  });

  test("corrects a mode without touching the content", async () => {
    await exportCp1();
    utimesSync(root(KEY), EPOCH, EPOCH);
    chmodSync(root(KEY), 0o644);
    const { out } = await exportCp1();
    expect(out).toBe(`0644 root:root ${CRT} unchanged\n0600 root:root ${KEY} corrected\n`);
    expect(mode(root(KEY))).toBe("600");
    expect(statSync(root(KEY)).mtime).toEqual(EPOCH);
  });

  test("replaces what differs, and only that, by another file", async () => {
    await exportCp1();
    writeFileSync(root(CRT), CA_CERT.replace("ca", "cb"));
    const before = statSync(root(CRT)).ino;
    const { out } = await exportCp1();
    expect(out).toBe(`0644 root:root ${CRT} written\n0600 root:root ${KEY} unchanged\n`);
    expect(readFileSync(root(CRT), "utf8")).toBe(CA_CERT);
    expect(statSync(root(CRT)).ino).not.toBe(before);
  });

  test("leaves files alone that it does not know", async () => {
    put("root/etc/kubernetes/pki/mine.crt", "mine");
    await exportCp1();
    expect(filesBelow(root())).toEqual([CRT, KEY, "/etc/kubernetes/pki/mine.crt"]);
  });
});

describe("a failure leaves every file as it was", () => {
  test("when a folder stands where a file belongs", async () => {
    mkdirSync(root(KEY), { recursive: true });
    expectOneLine(await exportCp1(), `cannot write ${root(KEY)}: a folder stands there`);
    expect(filesBelow(root())).toEqual([]);
  });

  test("when a file stands where a folder belongs", async () => {
    put("root/etc/kubernetes", "x");
    expectOneLine(await exportCp1(), `cannot write ${root(CRT)}: a file stands where a folder is needed`);
    expect(filesBelow(root())).toEqual(["/etc/kubernetes"]);
  });

  test("when the root is below a file, even for root", async () => {
    put("file", "x");
    const stdin = JSON.stringify(pkiState({ "cp-1": CP_1 }));
    const result = await kubernetesPki(["export", "--machine", "cp-1", "--root", "file/sub", "-"], { stdin });
    expectOneLine(
      result,
      `cannot write ${join(folder, "file/sub", CRT)}: a file stands where a folder is needed; choose another --root`,
    );
  });

  test("when the root may not be written to", async () => {
    mkdirSync(root(), 0o555);
    const result = await unprivileged(exportCp1);
    expectOneLine(result, "permission denied; choose another --root, or run as a user who may write there");
    expect(filesBelow(root())).toEqual([]);
  });

  test("when a folder turns out to be impossible after other files were made ready", async () => {
    mkdirSync(root("etc/kubernetes/pki"), { recursive: true });
    writeFileSync(root(CRT), "old");
    symlinkSync("nowhere", root("var"));
    const result = await exportState(pkiState({ "cp-1": { ...CP_1, "/var/lib/x": file("x") } }));
    expectOneLine(result, `cannot write ${root("var/lib/x")}`);
    expect(filesBelow(root())).toEqual([CRT]);
    expect(readFileSync(root(CRT), "utf8")).toBe("old");
  });

  test("when the system refuses a new folder in a way of its own", async () => {
    const stdin = JSON.stringify(pkiState({ "cp-1": CP_1 }));
    const result = await kubernetesPki(["export", "--machine", "cp-1", "--root", "/proc/pki", "-"], { stdin });
    expectOneLine(result, "cannot write /");
  });

  test("when the disk is full", async () => {
    jest.spyOn(fs, "writeFileSync").mockImplementation(() => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    });
    expectOneLine(await exportCp1(), "no space is left");
    jest.restoreAllMocks();
    expect(filesBelow(root())).toEqual([]);
  });

  test("or at least whole, and nothing beside them, when a rename fails", async () => {
    const result = await exportState(
      pkiState({ "cp-1": { "/a": file(CA_KEY_REFERENCE), "/a/b": file(CA_CERT_REFERENCE) } }),
    );
    expectOneLine(result, `cannot write ${root("a")}: a folder stands where a file is needed`);
    expect(filesBelow(root())).toEqual([]);
  });
});

describe("owners", () => {
  test("are left to a user who is not root, who is told so once", async () => {
    const { code, out, err } = await unprivileged(exportCp1);
    expect(code).toBe(0);
    expect(err).toMatch(/^kubernetes-pki: owner root:root was not set \(not run as root.*set it where the files go\n$/);
    expect(out).toContain(`0600 root:root ${KEY} written`);
    expect(mode(root(KEY))).toBe("600");
  });

  (isRoot ? describe : describe.skip)("for root", () => {
    const daemon = { uid: 1, gid: 1 };

    test("are set, and set again where they are wrong", async () => {
      const files = { "cp-1": { "/etcd.key": file(CA_KEY_REFERENCE, "0600", "daemon:daemon"), ...CP_1 } };
      expect(await exportState(pkiState(files))).toMatchObject({ code: 0, err: "" });
      expect(statSync(root("etcd.key"))).toMatchObject(daemon);
      fs.chownSync(root(KEY), 1, 1);
      const { out } = await exportState(pkiState(files));
      expect(out).toBe(
        `0644 root:root ${CRT} unchanged\n0600 root:root ${KEY} corrected\n0600 daemon:daemon /etcd.key unchanged\n`,
      );
      expect(statSync(root(KEY))).toMatchObject({ uid: 0, gid: 0 });
    });

    test("are those of the machine's own passwd and group files, where the root has them", async () => {
      put("root/etc/passwd", "root:x:0:0::/root:/bin/sh\netcd:x:998:997::/:/bin/false\ndaemon:x:4:4::/:/bin/false\n");
      put("root/etc/group", "kube:x:1234:\ndaemon:x:5:\n");
      const files = {
        "/a": file("x", "0600", "etcd:kube"),
        "/b": file("x", "0600", "daemon:daemon"),
        "/c": file("x", "0600", "root:root"),
        "/d": file("x", "0600", "77:78"),
      };
      expect(await exportState(pkiState({ "cp-1": files }))).toMatchObject({ code: 0, err: "" });
      const owners = ["a", "b", "c", "d"].map((path) => statSync(root(path))).map(({ uid, gid }) => [uid, gid]);
      expect(owners).toEqual([
        [998, 1234],
        [4, 5],
        [0, 0],
        [77, 78],
      ]);
      // Of two files, one may be there.
      fs.rmSync(root("etc/group"));
      await exportState(pkiState({ "cp-1": { "/e": file("x", "0600", "daemon:daemon") } }));
      expect(statSync(root("e"))).toMatchObject({ uid: 4, gid: 1 });
    });

    test("that the machine does not know are not those of this one: its number may be somebody else's there", async () => {
      put("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nmail:x:many:0::/:\n");
      const files = { "/a": file("x", "0600", "daemon:daemon"), "/b": file("x", "0600", "mail:root") };
      const { code, err } = await exportState(pkiState({ "cp-1": files }));
      expect([code, err]).toEqual([0, expect.stringContaining("owner daemon:daemon, mail:root was not set")]);
      expect(statSync(root("a"))).toMatchObject({ uid: 0, gid: 0 });
    });

    test.each([
      ["a link", () => symlinkSync("/etc/passwd", root("etc/passwd"))],
      ["a folder", () => mkdirSync(root("etc/passwd"))],
    ])("are not looked up in %s, which is told", async (_, make) => {
      mkdirSync(root("etc"), { recursive: true });
      make();
      const files = { "cp-1": { "/a": file("x", "0600", "daemon:daemon") } };
      expectOneLine(
        await exportState(pkiState(files)),
        `cannot read ${root("etc/passwd")}: owners are looked up in it`,
      );
      // Who is root is known everywhere.
      expect(await exportCp1()).toMatchObject({ code: 0 });
    });

    test("that this machine does not know are told, and left to root", async () => {
      const files = { "cp-1": { "/etcd.key": file(CA_KEY_REFERENCE, "0600", "no-such-user:root") } };
      const { code, err } = await exportState(pkiState(files));
      expect(code).toBe(0);
      expect(err).toContain("owner no-such-user:root was not set");
      expect(statSync(root("etcd.key"))).toMatchObject({ uid: 0, gid: 0 });
    });
  });
});
