import type { Problem, Problems } from "../errors";
import { checkShape, fields, Fields, instanceOf, number, optional } from "../terraform/shape";

/** Options of a {@link Validity}. */
export interface ValidityOptions {
  /**
   * How long before its end a certificate is replaced by the next apply, in hours. Must be shorter than the validity, and
   * longer than the time between two runs of the pipeline: a certificate is renewed only when somebody applies.
   *
   * @default - leaves: 720 hours or a third of the validity, whichever is shorter; authorities: 0, they are rotated by generation
   */
  readonly earlyRenewalHours?: number;
}

const VALIDITY_OPTIONS = fields({ earlyRenewalHours: optional(number(720)) } satisfies Fields<ValidityOptions>);

/**
 * How long a certificate is valid, counted from the apply that issues it.
 *
 * The tls provider does not back-date: a machine whose clock is behind refuses a fresh certificate.
 *
 * @throws PkiError when a number is none; which numbers may be is looked at where the validity is used
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5
 */
export class Validity {
  /** `hours` whole hours. */
  public static hours(hours: number, options: ValidityOptions = {}): Validity {
    return Validity.from("hours", hours, 1, options);
  }

  /** `days` days of 24 hours. */
  public static days(days: number, options: ValidityOptions = {}): Validity {
    return Validity.from("days", days, 24, options);
  }

  /** `years` years of 8760 hours, the year that kubeadm counts in. */
  public static years(years: number, options: ValidityOptions = {}): Validity {
    return Validity.from("years", years, 8760, options);
  }

  private static from(unit: "hours" | "days" | "years", count: number, hours: number, options: ValidityOptions) {
    checkShape(`Validity.${unit}`, count, number(1), unit);
    checkShape(`Validity.${unit}`, options, VALIDITY_OPTIONS, "options");
    return new Validity(count * hours, options.earlyRenewalHours);
  }

  private constructor(
    /** Whole validity, in hours. */
    public readonly validityHours: number,
    private readonly givenEarlyRenewalHours: number | undefined,
  ) {}

  /** Hours before the end at which a leaf certificate is replaced. */
  public get earlyRenewalHours(): number {
    return this.givenEarlyRenewalHours ?? Math.min(720, Math.floor(this.validityHours / 3));
  }

  /** Finds what is wrong with the validity of a leaf certificate. */
  public checkLeaf(at: string, problems: Problems): void {
    this.checkHours(at, problems);
    const early = this.earlyRenewalHours;
    if (!Number.isInteger(early) || early < 0 || early >= this.validityHours) {
      problems.add({
        code: "early-renewal",
        at: `${at}.earlyRenewalHours`,
        given: early,
        allowed: `whole hours from 0 to less than the validity (${this.validityHours} h)`,
        fix: "shorten the early renewal: otherwise every apply replaces the certificate",
      });
    }
  }

  /** Finds what is wrong with the validity of an authority. */
  public checkAuthority(at: string, problems: Problems): void {
    this.checkHours(at, problems);
    if (this.givenEarlyRenewalHours) {
      problems.add({
        code: "authority-early-renewal",
        at: `${at}.earlyRenewalHours`,
        given: this.givenEarlyRenewalHours,
        allowed: "nothing, or 0",
        fix: "leave it out and introduce a new generation instead: a renewed authority replaces all its leaves at once",
      });
    }
  }

  private checkHours(at: string, problems: Problems): void {
    // Beyond 2 562 047 hours Go's time.Duration overflows and the certificate would end before it starts.
    if (!Number.isInteger(this.validityHours) || this.validityHours < 1 || this.validityHours > 2_562_047) {
      problems.add({
        code: "validity",
        at,
        given: this.validityHours,
        allowed: "whole hours from 1 to 2562047",
        fix: "use Validity.hours, .days or .years with a positive number",
      });
    }
  }
}

/** A {@link Validity}, where one is expected. */
export const VALIDITY = instanceOf(Validity, "Validity.days(90)");

/** The problem of a leaf that ends with or after its authority: it stops working with it, long before its own end. */
export function outlives(hours: number, authorityHours: number): Omit<Problem, "at"> {
  return {
    code: "leaf-outlives-authority",
    given: `${hours} hours`,
    allowed: `less than the authority's ${authorityHours} hours`,
    fix: "shorten it, or give the next generation of the authority a longer validity",
  };
}
