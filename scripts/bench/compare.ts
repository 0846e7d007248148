/**
 * Measures two things in turn, so that a machine that slows down meanwhile slows both down. The order changes, so that neither
 * always comes second.
 */

export interface Comparison {
  /** The medians of all runs. */
  readonly subject: number;
  readonly reference: number;
  /** The median of the rounds' ratios, subject to reference. */
  readonly ratio: number;
}

type Measure = () => number | Promise<number>;

export async function compare(rounds: number, subject: Measure, reference: Measure): Promise<Comparison> {
  const results: { subject: number; reference: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const isSubjectFirst = round % 2 === 0;
    const first = await (isSubjectFirst ? subject : reference)();
    const second = await (isSubjectFirst ? reference : subject)();
    results.push(
      isSubjectFirst ? { subject: first, reference: second } : { subject: second, reference: first },
    );
  }
  return {
    subject: median(results.map((result) => result.subject)),
    reference: median(results.map((result) => result.reference)),
    ratio: median(results.map((result) => result.subject / result.reference)),
  };
}

/** Returns the mean of the two in the middle if there is an even number of values, and NaN if there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.floor(sorted.length / 2))) / 2;
}
