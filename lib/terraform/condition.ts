import { type ValidationProblem, problemText } from "../errors";

/** Something that Terraform checks, because it is not known at synth: a precondition, a postcondition or an assertion of a `check`. */
export interface Condition {
  /** A Terraform expression in `${}`. */
  readonly condition: string;
  /** What Terraform prints where it does not hold. */
  readonly errorMessage: string;
}

/** Refuses what an operand is false for, in the words in which synth refuses it. */
export function condition(operand: string, problem: ValidationProblem): Condition {
  return { condition: `\${${operand}}`, errorMessage: `${problemText(problem)}.` };
}

/** Conditions as Terraform spells them, for blocks that cdktf has no construct for. */
export function conditionBlocks(conditions: readonly Condition[]): { condition: string; error_message: string }[] {
  return conditions.map(({ condition, errorMessage }) => ({ condition, error_message: errorMessage }));
}
