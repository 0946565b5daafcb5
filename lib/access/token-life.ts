import type { Problems } from "../errors";
import { name, type Shape } from "../terraform/shape";

// Arithmetic of bootstrap tokens. Nothing here reads a clock: Terraform does.

/** When a bootstrap token becomes another one, and when it ends. */
export interface TokenLifeOptions {
  /**
   * Hours after which the next apply makes a new token.
   * @default 24; with `staggered` at least `2 * pipelineIntervalHours`, which is 48
   */
  readonly rotateAfterHours?: number;
  /**
   * Hours after which the API server no longer accepts the token: at least `rotateAfterHours + 2 * pipelineIntervalHours`, with `staggered`
   * at least `2 * rotateAfterHours`.
   * @default - the least, which is 72, and 96 with `staggered`
   */
  readonly expireAfterHours?: number;
  /**
   * Hours between two runs of the pipeline that applies the stack.
   * @default 24
   */
  readonly pipelineIntervalHours?: number;
  /**
   * Keeps two tokens that are replaced in turn, so that the one before still joins while the new one is rolled out. It may be switched on
   * later: the token that is there stays, and a second one comes.
   * @default false: the token before ends with the apply that makes a new one
   */
  readonly staggered?: boolean;
  /**
   * The end of a token that is not rotated: a time, RFC 3339 with any offset, or `never`. Without an end it is as good as a password that
   * nobody changes, and a warning says so. Another end is another token; after its end, an apply removes what is left of it.
   * @default - it is rotated
   */
  readonly expires?: string;
}

/** The life of a token that is rotated. */
export interface RotatedLife {
  /** Hours after which it is another one. */
  readonly rotateAfterHours: number;
  /** Hours after which it ends. */
  readonly expireAfterHours: number;
  /** Hours between two runs of the pipeline. */
  readonly pipelineIntervalHours: number;
}

/** The life of a token that stays the same. */
export interface FixedLife {
  /** `never`, or a time in UTC. */
  readonly expires: string;
}

/** What `expires` says of a token without an end. */
export const NEVER = "never";

/** Beyond it a duration of Go, and with it Terraform's `timeadd`, overflows. */
const MAX_HOURS = 2_562_047;

/** Nothing that ends before this library was written is meant to be used. */
const FIRST_YEAR = 2026;

/** The end of a token, known at synth. */
export const EXPIRES: Shape = name("2030-01-31T18:00:00+01:00", "never, or a time as in RFC 3339");

/** The life that was asked for, defaults filled in. */
export function lifeOf(options: TokenLifeOptions): RotatedLife | FixedLife {
  return options.expires === undefined
    ? rotatedLife(options)
    : { expires: options.expires === NEVER ? NEVER : (inUtc(options.expires) ?? options.expires) };
}

function rotatedLife({ staggered = false, ...options }: TokenLifeOptions): RotatedLife {
  const { pipelineIntervalHours = 24 } = options;
  const { rotateAfterHours = staggered ? Math.max(24, 2 * pipelineIntervalHours) : 24 } = options;
  const { expireAfterHours = leastHours(staggered, rotateAfterHours, pipelineIntervalHours) } = options;
  return { rotateAfterHours, expireAfterHours, pipelineIntervalHours };
}

/** Hours that a token has to live so that it is valid until there is another one. */
function leastHours(staggered: boolean, rotateAfterHours: number, pipelineIntervalHours: number): number {
  return staggered ? 2 * rotateAfterHours : rotateAfterHours + 2 * pipelineIntervalHours;
}

/** Minutes after which one of two tokens is replaced. Half an interval less than twice: a run that comes a little early finds it due. */
export function minutesOfSlot({ rotateAfterHours, pipelineIntervalHours }: RotatedLife): number {
  return 120 * rotateAfterHours - 30 * pipelineIntervalHours;
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** A time in UTC, to the second, as kubeadm writes it; undefined for text that names none that there is. */
export function inUtc(text: string): string | undefined {
  const [, year, month, day, hour, minute, second, sign, aheadHours = 0, aheadMinutes = 0] = RFC_3339.exec(text) ?? [];
  if (year === undefined) {
    return undefined;
  }
  const fields = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const local = new Date(0);
  local.setUTCFullYear(fields[0], fields[1] - 1, fields[2]);
  local.setUTCHours(fields[3], fields[4], fields[5]);
  // What is not on the calendar or the clock is another time to Date.
  const isThere = local.toISOString().startsWith(`${text.slice(0, 10)}T${text.slice(11, 19)}`);
  if (!isThere || Number(aheadHours) > 23 || Number(aheadMinutes) > 59) {
    return undefined;
  }
  const ahead = (sign === "-" ? -1 : 1) * (Number(aheadHours) * 60 + Number(aheadMinutes));
  const utc = new Date(local.getTime() - ahead * 60_000);
  return /^\d{4}-/.test(utc.toISOString()) ? utc.toISOString().replace(".000Z", "Z") : undefined;
}

/** Finds lives that are none, or too short for the pipeline that has to replace the token. */
export function checkLife(options: TokenLifeOptions, problems: Problems, at: string): void {
  if (options.expires !== undefined) {
    checkExpires(options, options.expires, problems, at);
    return;
  }
  const { staggered = false } = options;
  const life = rotatedLife(options);
  const broken = Object.entries(life).filter(([, hours]) => !Number.isInteger(hours) || hours < 1 || hours > MAX_HOURS);
  for (const [prop, hours] of broken) {
    problems.add({
      code: "token-hours",
      at: `${at}${prop}`,
      given: hours,
      allowed: `a whole number of hours, from 1 to ${MAX_HOURS}`,
      fix: "write it in the code",
    });
  }
  const { rotateAfterHours, expireAfterHours, pipelineIntervalHours } = life;
  const least = leastHours(staggered, rotateAfterHours, pipelineIntervalHours);
  if (broken.length === 0 && expireAfterHours < least) {
    const sum = staggered
      ? `2 * rotateAfterHours = 2 * ${rotateAfterHours}`
      : `rotateAfterHours + 2 * pipelineIntervalHours = ${rotateAfterHours} + 2 * ${pipelineIntervalHours}`;
    problems.add({
      code: "token-expiry",
      at: `${at}expireAfterHours`,
      given: `${expireAfterHours} hours`,
      allowed: `at least ${sum} = ${least} hours`,
      fix: "let it live longer, rotate it earlier, or state the interval of a pipeline that runs more often",
    });
  }
  if (broken.length === 0 && staggered && rotateAfterHours < 2 * pipelineIntervalHours) {
    problems.add({
      code: "token-staggered",
      at: `${at}rotateAfterHours`,
      given: `${rotateAfterHours} hours`,
      allowed: `at least 2 * pipelineIntervalHours = 2 * ${pipelineIntervalHours} = ${2 * pipelineIntervalHours} hours`,
      fix: "rotate it later, or state the interval of a pipeline that runs more often",
    });
  }
}

function checkExpires(options: TokenLifeOptions, expires: string, problems: Problems, at: string): void {
  const rotation = ["rotateAfterHours", "expireAfterHours", "pipelineIntervalHours", "staggered"] as const;
  for (const prop of rotation.filter((each) => options[each] !== undefined && options[each] !== false)) {
    problems.add({
      code: "token-life",
      at: `${at}${prop}`,
      given: options[prop],
      allowed: "none beside expires: a token with an end of its own is not rotated",
      fix: "leave one of the two out",
    });
  }
  const end = inUtc(expires);
  if (expires !== NEVER && (end === undefined || Number(end.slice(0, 4)) < FIRST_YEAR)) {
    problems.add({
      code: "token-expires",
      at: `${at}expires`,
      given: expires,
      allowed: `never, or a time that there is, as in RFC 3339 and not before ${FIRST_YEAR}`,
      fix: "write it as 2030-01-31T18:00:00+01:00",
    });
  }
}
