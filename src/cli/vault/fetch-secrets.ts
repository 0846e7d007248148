/** Reads many secrets: whole environments page by page, or those that are named, in batches. */
import type { Client } from '../../client/client.ts';
import type { BatchField, EncodedValue, Secret } from '../../client/types.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { formatReference } from '../input/reference.ts';
import type { Input, Reference } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode, toCliError } from '../run/failure.ts';
import { type Expiring, noteExpired } from './expired.ts';

/** What is stored, with the place it came from. */
export interface Stored {
  readonly source: Reference;
  /** Bytes where they may be anything. */
  readonly value: string | Uint8Array;
  /** Who wrote its entry last; null if the owner wrote or accepted all of it. */
  readonly unacceptedFrom: string | null;
  /** From then on it should not be used; null if it does not expire. */
  readonly expiresAt: string | null;
}

/** The most that a page can have. */
const PAGE_LIMIT = 1_000;
/** Many enough that a request costs little for each, few enough that they are seldom too large together. */
const BATCH_SIZE = 100;
const REQUESTS_AT_ONCE = 16;

/** What an environment holds of the names that are wanted, fields too. Throws CliError where one cannot be verified. */
export async function fetchEnvironment(
  client: Client,
  environment: string,
  isWanted: (name: string) => boolean,
): Promise<Stored[]> {
  const stored: Stored[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Client['exportSecrets']>> = await client.exportSecrets({
      environment,
      limit: PAGE_LIMIT,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const entry of page.items) {
      if (!isWanted(entry.name)) continue;
      if ('error' in entry) throw explainUnreadable(entry, entry.error);
      stored.push(...listStored(entry));
    }
    ({ cursor } = page);
  } while (cursor !== null);
  return stored;
}

function explainUnreadable({ name, environment }: Reference, why: string): CliError {
  return new CliError(EXIT.failed, `${describeSecret(name, environment)}: ${why}; --except leaves it out`);
}

/** The secrets of these names, with their fields; null in the place of one that is not there. */
export function fetchSecrets(
  client: Client,
  names: readonly string[],
  environment: string,
): Promise<(Stored[] | null)[]> {
  const references = names.map((name) => ({ name, environment }));
  return fetchMany(client, references, {
    read: listStored,
    ask: async ({ name }) => listStored(await client.getSecret(name, { environment })),
  });
}

/**
 * The bytes that each refers to. Throws CliError, which names what is missing and, by `places`, where each stands;
 * `prefix` says in what.
 */
export async function fetchReferred(
  input: Input,
  client: Client,
  references: readonly Reference[],
  places: readonly string[],
  prefix = '',
): Promise<Uint8Array[]> {
  const values = await fetchKnown(input, client, references);
  if (!values.includes(null)) return values.flatMap((value) => value ?? []);
  const { explainMissing } = await import('./missing.ts');
  const missing = references.flatMap((reference, at) =>
    values[at] === null ? [{ ...reference, referredAt: places[at] ?? '' }] : [],
  );
  const { exitCode, message } = await explainMissing(input, client, missing);
  throw new CliError(exitCode, prefix + message);
}

/** The bytes that each refers to; null in the place of what is not there. Says what has expired. */
export async function fetchKnown(
  input: Input,
  client: Client,
  references: readonly Reference[],
): Promise<(Uint8Array | null)[]> {
  const found = await fetchReferences(client, references);
  noteExpired(input, [...listExpiring(references, found), ...(await listExpiredFields(client, references))]);
  return found.map((one) => one?.value ?? null);
}

/** The bytes that a reference stands for. */
interface Referred {
  readonly value: Uint8Array;
  readonly expiresAt: string | null;
}

function listExpiring(references: readonly Reference[], found: readonly (Referred | null)[]): Expiring[] {
  return references.flatMap((source, at) => {
    const expiresAt = found[at]?.expiresAt ?? null;
    return expiresAt === null ? [] : [{ source, expiresAt }];
  });
}

/** A field comes without the dates of its secret. So all secrets that are due are asked for, which are few. */
async function listExpiredFields(client: Client, references: readonly Reference[]): Promise<Expiring[]> {
  const fields = references.filter(({ field }) => field !== undefined);
  if (fields.length === 0) return [];
  const dueBefore = `${new Date().toISOString().slice(0, 19)}Z`;
  const { items } = await client.listSecrets({ dueBefore }).catch(() => ({ items: [] }));
  return items.flatMap(({ name, environment, expires_at: expiresAt }) => {
    const isReferred = fields.some((field) => field.name === name && field.environment === environment);
    return isReferred && expiresAt !== undefined ? [{ source: { name, environment }, expiresAt }] : [];
  });
}

/** What each refers to; null in the place of what is not there. */
async function fetchReferences(
  client: Client,
  references: readonly Reference[],
): Promise<(Referred | null)[]> {
  const distinct = new Map(references.map((reference) => [formatReference(reference), reference]));
  const found = await fetchMany<Referred>(client, [...distinct.values()], {
    read: ({ value, encoding, ...entry }) =>
      value === undefined
        ? null
        : {
            value: Buffer.from(value, encoding),
            expiresAt: ('expires_at' in entry ? entry.expires_at : null) ?? null,
          },
    ask: async ({ name, field, environment }) => ({
      value: await (field === undefined
        ? client.getValue(name, { environment })
        : client.getField(name, field, { environment })),
      // Asked for alone, a value comes without its entry.
      expiresAt: null,
    }),
  });
  const byReference = new Map([...distinct.keys()].map((key, at) => [key, found[at] ?? null]));
  return references.map((reference) => byReference.get(formatReference(reference)) ?? null);
}

/** How to get one of many secrets or fields. */
interface Fetcher<T> {
  /** Reads it from its entry in a batch; returns null if the entry lacks it. */
  readonly read: (entry: Secret | BatchField) => T | null;
  /** Asks for it alone. */
  readonly ask: (reference: Reference) => Promise<T>;
}

/** Returns what is wanted of each; null in the place of what does not exist. */
async function fetchMany<T>(
  client: Client,
  references: readonly Reference[],
  fetcher: Fetcher<T>,
): Promise<(T | null)[]> {
  const found: (T | null)[] = [];
  for (let start = 0; start < references.length; start += BATCH_SIZE)
    found.push(...(await fetchBatch(client, references.slice(start, start + BATCH_SIZE), fetcher)));
  return found;
}

/**
 * Asks for one batch, and for each thing alone that the batch does not give. A refused batch, too large perhaps, does not say
 * which secret is to blame; and in a batch a secret fails if one of its fields was tampered with.
 */
async function fetchBatch<T>(
  client: Client,
  references: readonly Reference[],
  { read, ask }: Fetcher<T>,
): Promise<(T | null)[]> {
  const entries = await client.batchGet(references).catch(() => []);
  return mapSome(references, async (reference, at) => {
    const entry = entries[at];
    if (entry === undefined) return orNull(ask(reference), reference);
    if (!('error' in entry)) return read(entry);
    return entry.code === 'not_found' ? null : orNull(ask(reference), reference);
  });
}

/** Returns null for what does not exist. Any other error is thrown with the reference in its message. */
async function orNull<T>(asked: Promise<T>, reference: Reference): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (hasErrorCode(error, 'not_found')) return null;
    const { exitCode, message } = toCliError(error);
    throw new CliError(exitCode, `${formatReference(reference)}: ${message}`);
  }
}

type Entry = Pick<Secret, 'name' | 'environment' | 'value' | 'encoding' | 'fields'> &
  Partial<Pick<Secret, 'accepted' | 'written_by' | 'expires_at'>>;

function listStored(entry: Entry): Stored[] {
  const { name, environment, value, encoding, fields = {} } = entry;
  // If a response does not say so, the secret does not count as accepted.
  const unacceptedFrom = entry.accepted === true ? null : (entry.written_by ?? '');
  const shared = { unacceptedFrom, expiresAt: entry.expires_at ?? null };
  const own =
    value === undefined
      ? []
      : [{ source: { environment, name }, value: decodeValue(value, encoding), ...shared }];
  const others = Object.entries(fields).map(([field, encoded]) => ({
    source: { environment, name, field },
    value: decodeField(encoded),
    ...shared,
  }));
  return [...own, ...others];
}

function decodeField(encoded: EncodedValue): string | Uint8Array {
  return typeof encoded === 'string' ? encoded : decodeValue(encoded.value, encoded.encoding);
}

function decodeValue(value: string, encoding: 'base64' | undefined): string | Uint8Array {
  return encoding === undefined ? value : Buffer.from(value, 'base64');
}

/** As Promise.all, but with few calls under way at a time. */
async function mapSome<T, R>(items: readonly T[], use: (item: T, at: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const work = async () => {
    for (const [at, item] of left) results[at] = await use(item, at);
  };
  await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, items.length) }, work));
  return results;
}
