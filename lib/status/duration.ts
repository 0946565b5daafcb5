const MILLISECONDS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };

/**
 * Reads `30d`, `24h`, `1h30m`.
 *
 * @returns milliseconds; undefined when it is no time
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?[dhms])+$/.test(text)) {
    return undefined;
  }
  const parts = [...text.matchAll(/([\d.]+)([dhms])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * MILLISECONDS[unit!]!, 0);
}
