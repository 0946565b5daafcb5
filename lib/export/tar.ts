import { X509Certificate } from "node:crypto";
import { posix } from "node:path";
import { checkPaths, FinishedFile } from "./finished-file";
import { idOfItself } from "./owners";

const BLOCK = 512;
/** Archives are filled to whole records of twenty blocks. */
const RECORD = 20 * BLOCK;

/** The time of an archive that holds no certificate: of 1970, tar would complain. */
const EARLIEST = Date.UTC(2000, 0, 1) / 1000;

/** An entry before its header is written: what the fields of POSIX' ustar say. */
interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly type: "file" | "folder" | "pax";
  readonly user: string;
  readonly group: string;
  readonly time: number;
  readonly bytes: Buffer;
}

/** What ustar has room for. */
const LONGEST_OWNER = 31;
const LARGEST_ID = 0o7777777;

const TYPE_FLAGS = { file: "0", folder: "5", pax: "x" } as const;
const NOTHING = Buffer.alloc(0);

/**
 * Writes files as a tar archive, with modes, and with owners by name. tar knows those on the machine where it unpacks; who is unknown
 * there is root, whoever has the number here. Equal files make an equal archive: its time is that at which its newest certificate became
 * valid.
 *
 * @param folderMode mode of the folders, where they are in the archive; a folder that is not gets what tar gives a new one, and one that exists
 * already keeps its mode
 */
export function tarOf(files: readonly FinishedFile[], folderMode?: number): Buffer {
  checkPaths(files);
  const time = newestCertificate(files) ?? EARLIEST;
  const folders = folderMode === undefined ? [] : foldersOf(files);
  const entries: Entry[] = [
    ...folders.map((path) => folder(path, folderMode ?? 0, time)),
    ...files.map(({ path, mode, owner, text }): Entry => {
      const [user = "", group = ""] = owner.split(":");
      return {
        path: path.slice(1),
        mode: parseInt(mode, 8),
        type: "file",
        user,
        group,
        time,
        bytes: Buffer.from(text),
      };
    }),
  ];
  const blocks = Buffer.concat(entries.flatMap(blocksOf));
  return Buffer.concat([blocks, Buffer.alloc(padding(blocks.length + 2 * BLOCK, RECORD) + 2 * BLOCK)]);
}

function folder(path: string, mode: number, time: number): Entry {
  return { path: `${path}/`, mode, type: "folder", user: "root", group: "root", time, bytes: NOTHING };
}

/** Folders without the root, a folder before what is in it. */
function foldersOf(files: readonly FinishedFile[]): string[] {
  const above = (path: string): string[] => (path === "." ? [] : [...above(posix.dirname(path)), path]);
  return [...new Set(files.flatMap(({ path }) => above(posix.dirname(path.slice(1)))))].sort();
}

/** An entry's header and content, after a header of POSIX' pax where a field is too long for ustar or is no ASCII. */
function blocksOf(entry: Entry): Buffer[] {
  const records = paxRecords(entry);
  const more =
    records.length > 0
      ? blocksOf({ ...entry, path: "pax", type: "pax", user: "", group: "", bytes: Buffer.concat(records) })
      : [];
  return [...more, header(entry), entry.bytes, Buffer.alloc(padding(entry.bytes.length, BLOCK))];
}

function paxRecords({ path, user, group }: Entry): Buffer[] {
  const fields: readonly (readonly [key: string, value: string, fits: boolean])[] = [
    ["path", path, splitPath(path) !== undefined],
    ["uname", user, user.length <= LONGEST_OWNER],
    ["gname", group, group.length <= LONGEST_OWNER],
    ["uid", String(idOf(user)), idOf(user) <= LARGEST_ID],
    ["gid", String(idOf(group)), idOf(group) <= LARGEST_ID],
  ];
  return fields.filter(([, , fits]) => !fits).map(([key, value]) => paxRecord(key, value));
}

/** A number is no name: somebody may be called so. */
function nameIn(owner: string): string {
  return /^\d+$/.test(owner) ? "" : owner;
}

/** Whoever is unknown where it is unpacked is root: a number of this machine may be somebody else's there. */
function idOf(name: string): number {
  return idOfItself(name) ?? 0;
}

/** `<length> <key>=<value>\n`, of which the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  const length = (digits: number): number => {
    const total = rest.length + digits;
    return String(total).length === digits ? total : length(digits + 1);
  };
  return Buffer.concat([Buffer.from(String(length(1))), rest]);
}

/** Prefix and name, which are at most 155 and 100 bytes; undefined where they would not do. */
function splitPath(path: string): readonly [prefix: string, name: string] | undefined {
  // eslint-disable-next-line no-control-regex -- all of ASCII
  if (!/^[\x00-\x7f]*$/.test(path)) {
    return undefined;
  }
  if (path.length <= 100) {
    return ["", path];
  }
  const at = path.indexOf("/", path.length - 101);
  return at > 0 && at <= 155 && at < path.length - 1 ? [path.slice(0, at), path.slice(at + 1)] : undefined;
}

function header(entry: Entry): Buffer {
  const { path, mode, type, user, group, time, bytes } = entry;
  const [prefix, name] = splitPath(path) ?? ["", Buffer.from(path).toString("hex").slice(0, 100)];
  const block = Buffer.alloc(BLOCK);
  // Name, mode, uid, gid, size, time, checksum, type, link, magic and version, user, group, device, prefix.
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(Math.min(idOf(user), LARGEST_ID), 8), 108);
  block.write(octal(Math.min(idOf(group), LARGEST_ID), 8), 116);
  block.write(octal(bytes.length, 12), 124);
  block.write(octal(time, 12), 136);
  block.fill(" ", 148, 156);
  block.write(TYPE_FLAGS[type], 156);
  block.write("ustar\0" + "00", 257);
  block.write(nameIn(user).slice(0, LONGEST_OWNER), 265);
  block.write(nameIn(group).slice(0, LONGEST_OWNER), 297);
  block.write(octal(0, 8), 329);
  block.write(octal(0, 8), 337);
  block.write(prefix, 345);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )}\0 `,
    148,
  );
  return block;
}

/** A number in a field of that many bytes, the last of which is NUL. */
function octal(value: number, width: number): string {
  return value.toString(8).padStart(width - 1, "0");
}

function padding(length: number, unit: number): number {
  return (unit - (length % unit)) % unit;
}

/** When the newest certificate became valid, in seconds; undefined where there is none that can be read. */
function newestCertificate(files: readonly FinishedFile[]): number | undefined {
  const times = files.flatMap(({ text }) => [text, ...embeddedIn(text)].flatMap(timesIn));
  return times.length > 0 ? Math.max(EARLIEST, ...times) : undefined;
}

/** PEM as a kubeconfig has it: in base64, of which this is `-----BEGIN`. */
function embeddedIn(text: string): string[] {
  const found = text.match(/LS0tLS1CRUdJTi[A-Za-z0-9+/=]+/g) ?? [];
  return found.map((base64) => Buffer.from(base64, "base64").toString());
}

function timesIn(text: string): number[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(notBefore).filter((time) => !Number.isNaN(time));
}

function notBefore(pem: string): number {
  try {
    return Date.parse(new X509Certificate(pem).validFrom) / 1000;
  } catch {
    return NaN;
  }
}
