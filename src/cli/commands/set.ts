/** `mav set`: stores a secret or a field. */
import { isUtf8 } from 'node:buffer';
import type { Client } from '../../client/client.ts';
import type { Metadata, Stored, Terms, Value } from '../../client/types.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { parseMetadata } from '../input/metadata.ts';
import { readWhole } from '../input/numbers.ts';
import { readTerms, TERM_OPTIONS } from '../input/terms.ts';
import { findSource, readValue } from '../input/value-source.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, hasErrorCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { describeWayBack } from '../vault/way-back.ts';
import type { At } from '../vault/write-command.ts';

const MAX_LENGTH = 4_096;

export const run: Run = async (input) => {
  const { context, environment } = input;
  const [name = ''] = input.args;
  const ofSecret = ['metadata', ...TERM_OPTIONS].find((option) => input.flag(option));
  if (input.flag('field') && ofSecret !== undefined)
    throw usageError(`--${ofSecret} belongs to a secret, not to a field; set it without --field`);
  const fields = readFields(input);
  if (fields !== null) return storeFields(input, name, fields);
  const field = input.text('field');
  const metadata = input.flag('metadata') ? parseMetadata(input.list('metadata')) : undefined;
  const terms = readTerms(input);
  const what = describeSecret(name, environment, field);
  // Read before the vault is opened, so that other commands can use the vault while somebody types.
  const given = readsValue(input) ? await readValue(input, { ask: () => askValue(input, what) }) : null;
  const said = await withVault(input, async (client) => {
    const value = given ?? (await generateValue(input, client));
    const isWhole = ofSecret !== undefined;
    const { version } = isWhole
      ? await storeWhole(client, { name, environment }, { value, ...(metadata && { metadata }), ...terms })
      : await storeValue(client, { name, environment }, field, value);
    return describeStored(input, client, { name, environment }, version);
  });
  context.say(`Stored ${what}${said}.`);
  return EXIT.done;
};

function storeValue(
  client: Client,
  { name, environment }: At,
  field: string | undefined,
  value: Value,
): Promise<Stored> {
  return field === undefined
    ? client.putValue(name, value, { environment })
    : client.putField(name, field, value, { environment });
}

/** Returns the end of a sentence. */
async function describeStored(input: Input, client: Client, place: At, version: number): Promise<string> {
  const way = await describeWayBack(input, client, place, version);
  return way === null ? '' : `, ${way}`;
}

/**
 * Changes what is given of a secret, and makes the secret if there is none. Nothing of an entry stays that somebody without the
 * key has changed: the whole of it is replaced then.
 */
async function storeWhole(
  client: Client,
  { name, environment }: At,
  entry: { readonly value: Value; readonly metadata?: Metadata } & Terms,
): Promise<Stored> {
  // Text as text: as base64 it is a third larger, and a request has a limit.
  const { value } = entry;
  const text = typeof value !== 'string' && isUtf8(value) ? Buffer.from(value).toString() : value;
  try {
    return await client.patchSecret(name, { ...entry, value: text }, { environment });
  } catch (error) {
    if (!hasErrorCode(error, 'not_found', 'integrity')) throw error;
    return client.putSecret(name, { ...entry, value: text }, { environment });
  }
}

async function storeFields(
  input: Input,
  name: string,
  fields: Readonly<Record<string, string>>,
): Promise<ExitCode> {
  const { context, environment } = input;
  const said = await withVault(input, async (client) => {
    const { version } = await client.putFields(name, fields, { environment });
    return describeStored(input, client, { name, environment }, version);
  });
  const stored = Object.keys(fields).map((field) => describeSecret(name, environment, field));
  for (const [at, what] of stored.entries())
    context.say(`Stored ${what}${at === stored.length - 1 ? said : ''}.`);
  return EXIT.done;
}

/** Asks twice. Throws CliError if there is no terminal to ask on, or no vault to store the value in. */
async function askValue(input: Input, what: string): Promise<string> {
  if (!input.context.canAsk)
    throw usageError('nobody can be asked for the value here; pipe it in, or give --from-file');
  const { checkReachable } = await import('../vault/reachable.ts');
  await checkReachable(input);
  const { askNewSecret } = await import('../terminal/prompt.ts');
  return askNewSecret(input.context, `Value of ${what}`);
}

/** Options that say where one value comes from, or what is done to it. */
const VALUE_OPTIONS = ['value', 'from-file', 'generate', 'length', 'no-symbols', 'trim'];

/** Returns the fields of `--field KEY=VALUE`, or null if the value comes from elsewhere. Throws CliError. */
function readFields(input: Input): Readonly<Record<string, string>> | null {
  const given = input.list('field');
  // In a reference the field stands alone, and may have an = in it.
  if (input.referred?.field !== undefined) return null;
  if (given.length < 2 && !given[0]?.includes('=')) return null;
  if (given.some((pair) => !pair.includes('=')))
    throw usageError(
      'one --field KEY takes its value from elsewhere; several need it beside them: --field KEY=VALUE',
    );
  const other = VALUE_OPTIONS.find((option) => input.flag(option));
  if (other !== undefined)
    throw usageError(
      `--field KEY=VALUE has its value already: leave --${other} out, or name the field without one (with an = in its name as mav://ENV/NAME#KEY)`,
    );
  return readPairs(given);
}

function readPairs(pairs: readonly string[]): Readonly<Record<string, string>> {
  const fields: Record<string, string> = Object.create(null);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (key === '') throw usageError('--field takes KEY or KEY=VALUE');
    if (key in fields) throw usageError('--field names one field twice');
    if (value === '') throw usageError('the value of a field is empty; nothing was stored');
    fields[key] = value;
  }
  return fields;
}

/** Returns false if the value is to be generated. Throws CliError for options that do not go together. */
function readsValue(input: Input): boolean {
  const generates = findSource(input, ['value', 'from-file', 'generate']) === 'generate';
  if (!generates && (input.flag('length') || input.flag('no-symbols')))
    throw usageError('--length and --no-symbols go with --generate');
  if (generates) readWhole(input, 'length', 1, MAX_LENGTH);
  return !generates;
}

async function generateValue(input: Input, client: Client): Promise<string> {
  const length = readWhole(input, 'length', 1, MAX_LENGTH);
  const generated = await client.generate({
    ...(length === undefined ? {} : { length }),
    symbols: !input.flag('no-symbols'),
  });
  input.context.say(`Generated: ${generated.entropy_bits} bits of entropy.`);
  return generated.password;
}
