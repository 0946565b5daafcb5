/**
 * The known name that was probably meant; undefined where none is near.
 *
 * Near is: the same but for upper case and signs, or one letter in three wrong, missing, too many or with its neighbour's place.
 * Digits are the same: who wrote `cp-9` did not mean `cp-1`.
 */
export function closest(given: string, known: readonly string[]): string | undefined {
  // Longer text is no name, and the distance grows with its square.
  if (given.length > 64) {
    return undefined;
  }
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const digits = (text: string) => text.replace(/[^0-9]/g, "");
  const ranked = known
    .map((name) => ({ name, steps: distance(plain(given), plain(name)) }))
    .filter(({ name }) => digits(name) === digits(given))
    .filter(({ name, steps }) => steps <= Math.max(1, Math.floor(Math.min(given.length, name.length) / 3)))
    .sort((a, b) => a.steps - b.steps || (a.name < b.name ? -1 : 1));
  return ranked[0]?.name;
}

/** `did you mean "apiserver"?`; undefined where nothing is near. */
export function didYouMean(given: string, known: readonly string[]): string | undefined {
  const meant = closest(given, known);
  return meant === undefined ? undefined : `did you mean ${JSON.stringify(meant)}?`;
}

/** Letters that one has to write, leave out, change or exchange with the next to get from one text to another. */
function distance(from: string, to: string): number {
  let [before, last, row]: [number[], number[], number[]] = [
    [],
    [],
    Array.from({ length: to.length + 1 }, (_, j) => j),
  ];
  for (let i = 1; i <= from.length; i++) {
    [before, last, row] = [last, row, [i]];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      const isExchanged = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      row[j] = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (isSame ? 0 : 1),
        isExchanged ? before[j - 2]! + 1 : Infinity,
      );
    }
  }
  return row[to.length]!;
}
