/** Brings single secrets back from a backup. They pass through this process as they do in an export and an import. */
import type { Client } from '../../client/client.ts';
import { JsonReader } from '../../text/json-reader.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode } from '../run/failure.ts';

/** What an import takes. The rest the vault sets itself. */
const TAKEN: ReadonlySet<string> = new Set([
  ...['name', 'environment', 'value', 'encoding', 'metadata', 'fields'],
  ...['expires_at', 'rotate_by', 'confirm'],
]);

/** Returns the entries as the body of an import, as they were written. Throws CliError if one of them is not in the backup. */
export async function readEntries(
  { environment }: Input,
  client: Client,
  names: readonly string[],
): Promise<Buffer> {
  const entries: string[] = [];
  for (const name of names) entries.push(pickMembers(await readEntry(client, name, environment)));
  return Buffer.from(`{"secrets":[${entries.join(',')}]}`);
}

async function readEntry(client: Client, name: string, environment: string | undefined): Promise<string> {
  try {
    const { body } = await client.request('secrets.get', { params: { name, env: environment } });
    return Buffer.from(body).toString();
  } catch (error) {
    const what = `${describeSecret(name, environment ?? '')} in the backup`;
    if (hasErrorCode(error, 'not_found'))
      throw new CliError(EXIT.notFound, `there is no ${what}; nothing was done`);
    if (hasErrorCode(error, 'integrity'))
      throw new CliError(EXIT.failed, `${what} is damaged; nothing was done`);
    throw error;
  }
}

function pickMembers(entry: string): string {
  const reader = new JsonReader(entry);
  const members: string[] = [];
  reader.members((name) => {
    const raw = reader.raw();
    if (TAKEN.has(name)) members.push(`${JSON.stringify(name)}:${raw}`);
  });
  return `{${members.join(',')}}`;
}
