/** The values that a scan looks for: all of the vault's, or of one environment, ready to be found. */
import type { Client } from '../../client/client.ts';
import type { EncodedValue, Secret } from '../../client/types.ts';
import { decodeValue, isReadable, readEntries } from '../vault/entries.ts';
import { listForms } from './value-forms.ts';
import { type Pattern, ValueMatcher } from './value-matcher.ts';

/** Whose value was found. */
export interface ValueOwner {
  readonly name: string;
  readonly environment: string;
  readonly field?: string;
}

export interface WatchedValues {
  readonly matcher: ValueMatcher<ValueOwner>;
  readonly count: number;
  /** How many say too little to be looked for. */
  readonly skipped: number;
  /** Those that cannot be opened. */
  readonly unreadable: readonly ValueOwner[];
}

/** `environment`: undefined for all. */
export async function readWatchedValues(
  client: Client,
  environment: string | undefined,
): Promise<WatchedValues> {
  const patterns: Pattern<ValueOwner>[] = [];
  const unreadable: ValueOwner[] = [];
  let [count, skipped] = [0, 0];
  for await (const entry of readEntries(client, environment)) {
    if (!isReadable(entry)) {
      unreadable.push({ name: entry.name, environment: entry.environment });
      continue;
    }
    for (const [owner, value] of listValues(entry)) {
      const forms = listForms(decodeValue(value));
      if (forms === null) skipped += 1;
      else count += 1;
      for (const bytes of forms ?? []) patterns.push({ bytes, owner });
    }
  }
  return { matcher: new ValueMatcher(patterns), count, skipped, unreadable };
}

function* listValues({
  name,
  environment,
  value,
  encoding,
  fields = {},
}: Secret): Generator<[ValueOwner, EncodedValue]> {
  const owner = { name, environment };
  if (value !== undefined) yield [owner, encoding === undefined ? value : { value, encoding }];
  for (const [field, fieldValue] of Object.entries(fields)) yield [{ ...owner, field }, fieldValue];
}
