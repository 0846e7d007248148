/** `mav rollback`: makes an old version of a secret the newest. */
import type { Client } from '../../client/client.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { readVersion } from '../input/numbers.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplainVersion } from '../vault/missing-version.ts';
import { orExplain } from '../vault/or-explain.ts';
import { describeWayBack, findEarlier } from '../vault/way-back.ts';

export const run: Run = async (input) => {
  const { context, environment } = input;
  const [name = ''] = input.args;
  const to = readVersion(input, 'to');
  const what = describeSecret(name, environment);
  const said = await withVault(input, async (client) => {
    const target = to ?? (await findTarget(input, client, name));
    const stored = await rollBack(input, client, { name, version: target });
    const way = await describeWayBack(input, client, { name, environment }, stored);
    return `Rolled ${what} back to version ${target}${way === null ? '' : `: now ${way}`}.`;
  });
  context.say(said);
  return EXIT.done;
};

/** Returns the number of the version before the current one. Throws CliError if none is kept. */
async function findTarget(input: Input, client: Client, name: string): Promise<number> {
  const { environment } = input;
  const wanted = { name, environment };
  const versions = await orExplain(input, client, wanted, client.listVersions(name, { environment }));
  const [current] = versions;
  if (current === undefined || current.change === 'delete') {
    const { explainMissing } = await import('../vault/missing.ts');
    throw await explainMissing(input, client, [wanted]);
  }
  const earlier = findEarlier(versions, current.version);
  if (earlier === null)
    throw new CliError(
      EXIT.notFound,
      `no version of ${describeSecret(name, environment)} before this one is kept`,
    );
  return earlier.version;
}

/** Returns the number of the new version. */
async function rollBack(
  input: Input,
  client: Client,
  { name, version }: { readonly name: string; readonly version: number },
): Promise<number> {
  const { environment } = input;
  try {
    const asked = client.rollbackSecret(name, version, { environment });
    return (await orExplainVersion(input, client, { name, environment, version }, asked)).version;
  } catch (error) {
    const { member } = error as { member?: unknown };
    if (!hasErrorCode(error, 'bad_request') || member !== 'version') throw error;
    const what = describeSecret(name, environment);
    throw usageError(`version ${version} of ${what} is the current one; nothing was changed`);
  }
}
