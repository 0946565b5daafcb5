import type { Place } from "../terraform-json/sources";

/** What a command sees of its process. */
export interface Io extends Place {
  readonly stdout: { write(output: string | Uint8Array): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown };
  /** @default - the system's clock */
  readonly now?: () => Date;
}

/** Sets the exit code of a command that did not fail. An error makes it 1, whatever was set. */
export type SetExitCode = (code: number) => void;
