/** `mav diff`: what changed of a secret since one of its versions. Values are shown only with --reveal. */
import type { Client } from '../../client/client.ts';
import type { EncodedValue, Secret } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { compareEntries, type Difference } from '../vault/compare-entries.ts';
import { orExplainVersion } from '../vault/missing-version.ts';
import { orExplain } from '../vault/or-explain.ts';
import { findEarlier } from '../vault/way-back.ts';

export const run: Run = async (input) => {
  const { context, output } = input;
  const given = readVersion(input.args[1]);
  const { before, after } = await withVault(input, (client) => fetchBoth(input, client, given));
  const differences = compareEntries(before, after);
  if (output === 'json') context.printJson(JSON.stringify(formatJson(input, before, after, differences)));
  else if (differences.length === 0)
    context.say(`Nothing differs between version ${before.version} and the current one, ${after.version}.`);
  else {
    const what = describeSecret(after.name, after.environment);
    context.say(`${what}, from version ${before.version} to the current one, ${after.version}:`);
    for (const difference of differences)
      for (const line of formatLines(difference, input.flag('reveal'))) context.print(line);
  }
  return EXIT.done;
};

/** Throws CliError. */
function readVersion(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(given)) throw usageError('the version must be a whole number from 1');
  return Number(given);
}

async function fetchBoth(
  input: Input,
  client: Client,
  given: number | undefined,
): Promise<{ readonly before: Secret; readonly after: Secret }> {
  const { environment } = input;
  const [name = ''] = input.args;
  const wanted = { name, environment };
  const after = await orExplain(input, client, wanted, fetchEntry(client, { name, environment }));
  const version = given ?? (await findBefore(client, after));
  const asked = fetchEntry(client, { name, environment, version });
  return { before: await orExplainVersion(input, client, { ...wanted, version }, asked), after };
}

/** Numbers in metadata keep their digits, so that two that differ in the last one are not taken for equal. */
async function fetchEntry(
  client: Client,
  { name, environment, version }: { name: string; environment: string | undefined; version?: number },
): Promise<Secret> {
  const { parseExact } = await import('../formats/exact-json.ts');
  const { body } = await client.request('secrets.get', { params: { name, env: environment, version } });
  const text = Buffer.from(body).toString();
  const { metadata } = parseExact(text) as Secret;
  return { ...(JSON.parse(text) as Secret), metadata };
}

/** Returns the number of the version before. Throws CliError if none is kept. */
async function findBefore(client: Client, { name, environment, version }: Secret): Promise<number> {
  const earlier = findEarlier(await client.listVersions(name, { environment }), version);
  if (earlier !== null) return earlier.version;
  throw new CliError(
    EXIT.notFound,
    `no version of ${describeSecret(name, environment)} before this one is kept`,
  );
}

const SIGNS = { changed: '~', added: '+', removed: '-' } as const;

function formatLines({ change, part, name, before, after }: Difference, showsValues: boolean): string[] {
  const line = `${SIGNS[change]} ${part}${name === undefined ? '' : ` ${escapeControls(name)}`}`;
  if (!showsValues) return [line];
  const describe = part === 'metadata' ? describeMetadata : describeValue;
  return [line, ...formatSide('-', before, describe), ...formatSide('+', after, describe)];
}

/** The lines of a value, old or new; none where there is no value. */
function formatSide(sign: string, value: unknown, describe: (value: unknown) => string): string[] {
  if (value === undefined) return [];
  return describe(value)
    .split('\n')
    .map((line) => `    ${sign} ${line}`);
}

function describeMetadata(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function describeValue(encoded: unknown): string {
  const value = encoded as EncodedValue;
  return typeof value === 'string' ? value : `${value.value} (base64 of what is no text)`;
}

function formatJson(input: Input, before: Secret, after: Secret, differences: readonly Difference[]) {
  const { name, environment } = after;
  const changes = differences.map((difference) => {
    const { before: old, after: now, ...named } = difference;
    return input.flag('reveal') ? difference : named;
  });
  return { name, environment, from: before.version, to: after.version, changes };
}
