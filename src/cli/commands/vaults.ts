/** `mav vaults`: the user's vaults, and whether a daemon serves each. Opens none, and asks nobody. */

import { lstatSync } from 'node:fs';
import { meansNobody } from '../../client/alive.ts';
import { Connection } from '../../client/connection.ts';
import { readSettings } from '../../places/config.ts';
import type { Home } from '../../places/home.ts';
import { DEFAULT_VAULT } from '../../places/vault-names.ts';
import { describeSystemError } from '../../system/system-error.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { listVaultNames } from '../vault/list-vaults.ts';

/** As `-o json` prints it; null is what is not known. */
interface VaultLine {
  readonly name: string;
  readonly daemon: 'running' | 'not running' | 'not answering';
  readonly sealed: boolean | null;
  readonly folder: string;
  readonly socket: string;
}

/** How long a daemon may take. Its health check waits for no vault. */
const ANSWER_MS = 2_000;
const HEALTH = { method: 'GET', target: '/v1/health', headers: {}, body: null } as const;

export const run: Run = async (input) => {
  const { env } = input.context;
  const homes = listVaultNames(env).map((name) => ({
    name,
    home: readSettings(env, { vault: name, toleratesConfig: true }).home,
  }));
  const faults: string[] = [];
  const present = homes.filter(({ home }) => mayBeThere(home, faults));
  await printLines(input, await Promise.all(present.map(({ name, home }) => describeVault(name, home))));
  for (const fault of faults) input.context.complain(escapeControls(`mav: ${fault}`));
  return faults.length === 0 ? EXIT.done : EXIT.failed;
};

/** Also where that cannot be told, as in a folder that was closed. Then `faults` gets the reason, and the other vaults are listed all the same. */
function mayBeThere({ databasePath, directory }: Home, faults: string[]): boolean {
  try {
    return lstatSync(databasePath, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    faults.push(`${directory} cannot be read: ${describeSystemError(error)}`);
    return true;
  }
}

async function describeVault(name: string, home: Home): Promise<VaultLine> {
  const { directory: folder, socketPath: socket } = home;
  return { name, ...(await askDaemon(socket)), folder, socket };
}

async function askDaemon(socketPath: string): Promise<Pick<VaultLine, 'daemon' | 'sealed'>> {
  try {
    const connection = await Connection.open(socketPath, { patienceMs: 0, isBrief: true });
    const timer = setTimeout(() => connection.close(), ANSWER_MS);
    try {
      const { body } = await connection.send(HEALTH);
      const { sealed = false } = JSON.parse(Buffer.from(body).toString()) as { sealed?: boolean };
      return { daemon: 'running', sealed };
    } finally {
      clearTimeout(timer);
      connection.close();
    }
  } catch (error) {
    return { daemon: meansNobody(error) ? 'not running' : 'not answering', sealed: null };
  }
}

async function printLines({ context, output }: Input, lines: readonly VaultLine[]): Promise<void> {
  if (output === 'json') return context.printJson(JSON.stringify(lines));
  const rows = lines.map(({ name, daemon, sealed, folder }) => [name, daemon, showState(sealed), folder]);
  if (output === 'table') {
    if (rows.length === 0)
      return context.say(
        'There are no vaults yet; make one: mav init, or with a name: mav --vault NAME init',
      );
    const { printTable } = await import('../formats/table.ts');
    const heads = ['NAME', 'DAEMON', 'STATE', 'FOLDER'].map((head) => ({ head }));
    return printTable(context, heads, rows);
  }
  const { printPlain } = await import('../formats/plain-lines.ts');
  printPlain(context, output === 'names' ? rows.map(([name = DEFAULT_VAULT]) => [name]) : rows);
}

/** Without a daemon it is not known until the vault is opened. */
function showState(sealed: boolean | null): string {
  if (sealed === null) return '';
  return sealed ? 'sealed' : 'unsealed';
}
