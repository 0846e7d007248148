/** Errors for a version that a secret does not have, or in which it lacks what is wanted. Loaded only then. */
import type { Client } from '../../client/client.ts';
import type { Version } from '../../client/types.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode } from '../run/failure.ts';
import { explainMissing, type Wanted } from './missing.ts';
import { describePlace } from './named-places.ts';
import { quoteName } from './place-names.ts';
import { writeCommand } from './write-command.ts';

/** As orExplain, for one version of a secret. */
export async function orExplainVersion<T>(
  input: Input,
  client: Client,
  wanted: Wanted & { readonly version: number },
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!hasErrorCode(error, 'not_found')) throw error;
    throw await explainVersion(input, client, wanted);
  }
}

async function explainVersion(
  input: Input,
  client: Client,
  { version, ...wanted }: Wanted & { readonly version: number },
): Promise<CliError> {
  const { name, environment } = wanted;
  const versions = await client.listVersions(name, { environment }).catch(() => []);
  if (versions.length === 0) return explainMissing(input, client, [wanted]);
  const problem = describeProblem(versions, version, wanted);
  const advice = writeCommand(input, 'history', [wanted]);
  return new CliError(EXIT.notFound, `${problem}; ${advice} shows its versions`);
}

function describeProblem(versions: readonly Version[], version: number, wanted: Wanted): string {
  const { field, ...place } = wanted;
  const what = describePlace(place);
  const found = versions.find((one) => one.version === version);
  const newest = versions[0]?.version ?? 0;
  if (version > newest) return `${what} has no version ${version}: the newest is ${newest}`;
  if (found === undefined) return `version ${version} of ${what} is not kept any more`;
  if (found.change === 'delete') return `in version ${version} ${what} was deleted`;
  return field === undefined
    ? `version ${version} of ${what} has no value of its own, only fields`
    : `version ${version} of ${what} has no field ${quoteName(field)}`;
}
