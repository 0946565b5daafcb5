/** The same numbers in every run. */
export class Random {
  /** @param seed where to begin */
  public constructor(private seed: number) {}

  /** A whole number, at least zero. */
  public below(limit: number): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.seed / 2 ** 32) * limit);
  }

  /** True every other time. */
  public coin(): boolean {
    return this.below(2) === 0;
  }

  /** One of a list. */
  public of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** All of a list, in another order. */
  public shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }
}
