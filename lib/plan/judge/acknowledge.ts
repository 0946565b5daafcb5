import type { Acknowledged, Danger, DangerCode } from "./danger";

/** Somebody says that a danger is meant. */
export interface Acknowledgement extends Acknowledged {
  /** Which danger it is. */
  readonly code: DangerCode;
  /**
   * What the danger is about, as the report names it.
   * @default - all dangers of the code
   */
  readonly name?: string;
}

/** Dangers with what was said of them. */
export function acknowledge(dangers: readonly Danger[], said: readonly Acknowledgement[]): Danger[] {
  return dangers.map((danger) => {
    // Of several, the one that names it counts.
    const found =
      said.find((one) => isMeant(one, danger) && one.name !== undefined) ?? said.find((one) => isMeant(one, danger));
    if (!found) {
      return danger;
    }
    const { reason, by } = found;
    return { ...danger, acknowledged: { reason, ...(by === undefined ? {} : { by }) } };
  });
}

/** What was said of dangers that are not there: a wrong name must not stay unseen. */
export function withoutDanger(dangers: readonly Danger[], said: readonly Acknowledgement[]): Acknowledgement[] {
  return said.filter((one) => !dangers.some((danger) => isMeant(one, danger)));
}

function isMeant({ code, name }: Acknowledgement, danger: Danger): boolean {
  return code === danger.code && (name === undefined || name === danger.name);
}
