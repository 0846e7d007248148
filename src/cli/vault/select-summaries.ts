/** Which of the secrets that the API lists are shown, by the options of `mav list` and `mav search`. */
import type { SecretSummary } from '../../client/types.ts';
import { readDueBefore } from '../input/due-dates.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

type Params = Readonly<Record<string, string | undefined>>;

/** The filters that the API has for a list. Throws CliError. */
export function readListParams(input: Input): Params {
  const { environment, text } = input;
  const [key, value] = [text('metadata-key'), text('metadata-value')];
  if (value !== undefined && key === undefined)
    throw usageError('--metadata-value needs --metadata-key beside it');
  return { env: environment, metadata_key: key, metadata_value: value, due_before: readDueBefore(input) };
}

/** Those whose name or metadata contains `filter`, in any case. */
export function filterSummaries(rows: readonly SecretSummary[], filter: string): SecretSummary[] {
  const wanted = filter.toLowerCase();
  const contains = (text: string) => text.toLowerCase().includes(wanted);
  return rows.filter(({ name, metadata }) => contains(name) || listTexts(metadata).some(contains));
}

/** Keys and values, without the JSON around them. */
function listTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  // An exact number is an object without a prototype.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) === null)
    return [JSON.stringify(value)];
  if (Array.isArray(value)) return value.flatMap(listTexts);
  return Object.entries(value).flatMap(([key, member]) => [key, ...listTexts(member)]);
}

/** Those that are among `others` too. */
export function intersectSummaries(
  rows: readonly SecretSummary[],
  others: readonly SecretSummary[],
): SecretSummary[] {
  const keyOf = ({ environment, name }: SecretSummary) => `${environment}\0${name}`;
  const known = new Set(others.map(keyOf));
  return rows.filter((row) => known.has(keyOf(row)));
}
