/**
 * What is started here ends with the process that started it, whatever ends that: the kernel sees to it, so that there is no moment at which
 * something is started already and not yet known to whoever would end it.
 */
import { spawnSync } from "node:child_process";

/** A program and its arguments. */
export type CommandLine = readonly [program: string, args: readonly string[]];

/**
 * The command line that runs a single process so that it ends with this one.
 *
 * `setpriv` sets the signal that a process gets when its parent dies. Had the parent died before that, the process would have another parent
 * by now: then it does not go on.
 *
 * @throws Error when `setpriv` is not there
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
export function tied(program: string, args: readonly string[]): CommandLine {
  const goOn = 'test "$PPID" = "$0" && exec "$@"';
  const setpriv = find("setpriv", ["--pdeathsig", "KILL"]);
  if (setpriv.file === undefined) {
    throw new Error(`what is started has to end with this process, but ${setpriv.complaint}: install util-linux`);
  }
  return [setpriv.file, ["--pdeathsig", "KILL", "/bin/sh", "-c", goOn, String(process.pid), program, ...args]];
}

/**
 * The command line that runs a program so that it ends with this process, and all that it starts ends with it.
 *
 * The signal does not pass to children of children. A PID namespace does end with its first process, and that with `unshare`. In there the
 * number of every parent outside is 0, so the check of {@link tied} is made with the number that /proc shows, which is mounted outside.
 * `unshare` holds back SIGINT and SIGTERM: only SIGKILL ends it before its time.
 *
 * @see https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
export function tiedTree(program: string, args: readonly string[]): CommandLine {
  const unshare = find("unshare", NAMESPACE);
  if (unshare.file === undefined) {
    return tied(program, args);
  }
  const goOn = 'read -r _ _ _ parent _ < /proc/self/stat; test "$parent" = "$0" && exec "$@"';
  const inNamespace = `exec "$0" ${NAMESPACE.join(" ")} /bin/sh -c '${goOn}' $$ "$@"`;
  return tied("/bin/sh", ["-c", inNamespace, unshare.file, program, ...args]);
}

// Whoever is not root needs a user namespace, too, in which everybody is who they were.
const USER = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user"];
const NAMESPACE = [...USER, "--pid", "--fork", "--kill-child"];

/**
 * Why there are no PID namespaces here, as in many containers; nothing where there are. Without them a program that is killed leaves its
 * children to end by themselves: Terraform with its terminal, a provider when it notices that Terraform is gone.
 */
export function noNamespaces(): string | undefined {
  return find("unshare", NAMESPACE).complaint;
}

interface Found {
  readonly file?: string;
  readonly complaint?: string;
}

const answers = new Map<string, Found>();

/** Where a program is that can run another with these options, or why none can. A command may be run with another PATH than ours. */
function find(program: string, options: readonly string[]): Found {
  const script = 'command -v "$0" && exec "$0" "$@" true';
  let found = answers.get(program);
  if (!found) {
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script, program, ...options], { encoding: "utf8" });
    found = status === 0 ? { file: stdout.trim() } : { complaint: stderr.trim() || `${program} is not found` };
    answers.set(program, found);
  }
  return found;
}
