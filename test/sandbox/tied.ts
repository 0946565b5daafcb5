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
 * @see https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
 */
export function tied(program: string, args: readonly string[]): CommandLine {
  const goOn = 'test "$PPID" = "$0" && exec "$@"';
  return ["setpriv", ["--pdeathsig", "KILL", "sh", "-c", goOn, String(process.pid), program, ...args]];
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
  if (noNamespaces() !== undefined) {
    return tied(program, args);
  }
  const goOn = 'read -r _ _ _ parent _ < /proc/self/stat; test "$parent" = "$0" && exec "$@"';
  const unshare = `exec unshare ${NAMESPACE.join(" ")} sh -c '${goOn}' $$ "$@"`;
  return tied("sh", ["-c", unshare, "sh", program, ...args]);
}

// Whoever is not root needs a user namespace, too, in which everybody is who they were.
const USER = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user"];
const NAMESPACE = [...USER, "--pid", "--fork", "--kill-child"];

let answer: { readonly complaint?: string } | undefined;

/**
 * Why there are no PID namespaces here, as in many containers; nothing where there are. Without them a program that is killed leaves its
 * children to end by themselves: Terraform with its terminal, a provider when it notices that Terraform is gone.
 */
export function noNamespaces(): string | undefined {
  if (!answer) {
    const { error, status, stderr } = spawnSync("unshare", [...NAMESPACE, "true"], { encoding: "utf8" });
    answer = status === 0 ? {} : { complaint: error?.message ?? stderr.trim() };
  }
  return answer.complaint;
}
