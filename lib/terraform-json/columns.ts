import { plain } from "./escape";

// How kubeadm prints lists.

/** Columns as Go's text/tabwriter makes them for kubeadm: at least 10 wide, 3 apart. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows].map((cells) => cells.map(plain));
  const widths = header.map((_, column) => Math.max(7, ...lines.map((cells) => cells[column]!.length)) + 3);
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join("");
  return lines.map((cells) => `${line(cells).trimEnd()}\n`).join("");
}

/**
 * One unit, the largest, as kubeadm rounds.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/util/duration/duration.go
 */
export function shortDuration(seconds: number): string {
  const [hours, days] = [Math.trunc(seconds / 3600), Math.trunc(seconds / 86_400)];
  if (seconds < -1) {
    return "<invalid>";
  }
  if (seconds < 60) {
    return `${Math.max(seconds, 0)}s`;
  }
  if (seconds < 3600) {
    return `${Math.trunc(seconds / 60)}m`;
  }
  if (hours < 24) {
    return `${hours}h`;
  }
  return days < 365 ? `${days}d` : `${Math.trunc(days / 365)}y`;
}
