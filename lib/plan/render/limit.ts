/** A part of a rendered report. */
export interface Block {
  readonly text: string;
  /** What has to follow where the report is cut after it. */
  readonly end?: string;
}

/**
 * Joins blocks. Those that do not fit any more are left out, and all after them; the first one always stays.
 *
 * @param note stands for what was left out
 */
export function fitted(blocks: readonly Block[], maxBytes: number | undefined, note: (left: number) => string): string {
  const whole = blocks.map(({ text }) => text).join("");
  if (maxBytes === undefined || Buffer.byteLength(whole) <= maxBytes) {
    return whole;
  }
  let room = maxBytes - Buffer.byteLength(note(blocks.length));
  const kept: Block[] = [];
  for (const block of blocks) {
    room -= Buffer.byteLength(block.text);
    if (kept.length > 0 && room < Buffer.byteLength(block.end ?? "")) {
      break;
    }
    kept.push(block);
  }
  return `${kept.map(({ text }) => text).join("")}${kept.at(-1)?.end ?? ""}${note(blocks.length - kept.length)}`;
}
