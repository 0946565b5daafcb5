import type { Readable } from "node:stream";
import { reason, UnusableError } from "./unusable";

/**
 * Reads a stream to its end.
 *
 * @param hint what to give instead of one that is larger than the limit
 * @param look sees each chunk as it comes, and may refuse the rest
 */
export async function readAll(
  stream: Readable,
  origin: string,
  { limitMb, hint, look }: { readonly limitMb: number; readonly hint: string; readonly look?: (chunk: Buffer) => void },
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const data of stream) {
      const chunk = Buffer.isBuffer(data) ? data : Buffer.from(data as string);
      chunks.push(chunk);
      size += chunk.length;
      look?.(chunk);
      if (size > limitMb * 1024 * 1024) {
        throw tooLarge(origin, limitMb, hint);
      }
    }
  } catch (error) {
    throw error instanceof UnusableError ? error : new UnusableError(`cannot read ${origin}: ${reason(error)}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What is said of something larger than the limit. */
export function tooLarge(origin: string, limitMb: number, hint: string): UnusableError {
  return new UnusableError(`${origin} has more than ${limitMb} MB: ${hint}`);
}
