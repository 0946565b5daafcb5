import { execFileSync } from "node:child_process";

/** Ends everything that this process started, and what that started, at once. */
export function killDescendants(): void {
  for (const pid of descendants().reverse()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}

function descendants(): number[] {
  const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = listed
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found = [process.pid];
  for (const parent of found) {
    found.push(...processes.filter(([, ppid]) => ppid === parent).map(([pid]) => pid!));
  }
  return found.slice(1);
}
