/** Checks of the vault itself, as far as it can be opened without asking anybody: key store, database, every entry. */
import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '../../client/alive.ts';
import type { Client } from '../../client/client.ts';
import { MaestroVaultError, type Reason } from '../../client/errors.ts';
import type { CheckedTable, DamagedRow, Status } from '../../client/types.ts';
import { checkPrivateFile, type Home, isThere } from '../../places/home.ts';
import { isWithin } from '../../places/known-vaults.ts';
import { adviseOn } from '../../remedies.ts';
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { toCliError } from '../run/failure.ts';
import { readPackage } from '../run/package-json.ts';
import { Progress } from '../terminal/progress.ts';
import { readGivenToken, withVault } from '../vault/access.ts';
import { checkVault as checkRows } from '../vault/check-vault.ts';
import { chooseReader } from '../vault/remedy-readers.ts';
import type { Use, VaultAccess } from '../vault/vault-access.ts';
import { isWorn, TURN_PATIENCE_MS } from '../vault/vault-report.ts';
import { type Finding, fail, judge, ok, warn } from './finding.ts';

const KEY_SIZE = 32;
/** How many unreadable entries are named. */
const MAX_NAMED = 10;
/** Rows are stamped to the second. */
const CLOCK_SLACK_MS = 2_000;

/** Shows how many rows were opened. */
type ShowDone = (done: number) => void;

/** Returns nothing if there is no vault. */
export async function checkVault(input: Input): Promise<Finding[]> {
  const { home, context } = input;
  try {
    const isTokens = readGivenToken(context.env) !== null;
    if (!isTokens && !isThere(home.databasePath) && !(await isAlive(home.socketPath))) return [];
    const inspect = isTokens ? inspectAsToken : inspectAsSession;
    const progress = new Progress(input);
    const show = (done: number) => progress.show(`Opening every row: ${done}`);
    const look: Use<Finding[]> = (client, access) =>
      inspect(client, access, home, show).finally(() => progress.end());
    return await withVault(input, look, { mayBeSealed: true, turnPatienceMs: TURN_PATIENCE_MS });
  } catch (error) {
    return [fail('vault', toCliError(error).message)];
  }
}

async function inspectAsToken(client: Client): Promise<Finding[]> {
  const { sealed = false } = await client.health();
  const version = await checkVersion(client);
  if (sealed)
    return [
      version,
      warn('vault', adviseOn({ message: 'it is sealed', reason: 'sealed' }, chooseReader('token'))),
    ];
  try {
    await client.info();
  } catch (error) {
    // The token is valid, but may not read.
    if (!(error instanceof MaestroVaultError) || error.code !== 'forbidden') throw error;
  }
  return [version, ok('vault', 'the daemon knows the token; what no token may see was not checked')];
}

async function inspectAsSession(
  client: Client,
  access: VaultAccess,
  home: Home,
  show: ShowDone,
): Promise<Finding[]> {
  const status = await client.status();
  return [
    ...(access === 'daemon' ? [await checkVersion(client), ...(await checkListening(client))] : []),
    ...(status.key_file === null
      ? []
      : checkKeyFile(status.key_file, (await findFolder(client)) ?? home.directory, access)),
    checkRecovery(status),
    ...(status.sealed
      ? [await explainSealed(client, status, access)]
      : await inspectUnsealed(client, status, access, show)),
  ];
}

function checkRecovery({ key_stores: stores }: Status): Finding {
  return stores.includes('recovery')
    ? ok('recovery', 'the vault has a recovery code')
    : warn(
        'recovery',
        'without a recovery code the vault is lost with its key; make one with: mav key add recovery',
      );
}

/** The daemon's own document has its version in it. */
async function checkVersion(client: Client): Promise<Finding> {
  const { info } = (await client.openapi()) as { readonly info: { readonly version: string } };
  const { version } = readPackage();
  return info.version === version
    ? ok('version', `the daemon is of this version, ${version}`)
    : warn('version', `the daemon is of version ${info.version}, this is ${version}; restart it`);
}

/** Returns nothing if the daemon hears all that it should. */
async function checkListening(client: Client): Promise<Finding[]> {
  const { unheard = [] } = await client.health();
  return unheard.map((detail) => warn('seal_on', detail));
}

async function findFolder(client: Client): Promise<string | null> {
  try {
    return (await client.info()).dir;
  } catch {
    return null;
  }
}

function checkKeyFile(path: string, folder: string, access: VaultAccess): Finding[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const advise = (reason: Reason, message: string) =>
    fail('key file', adviseOn({ message, reason }, chooseReader(access === 'daemon' ? 'session' : 'own')));
  if (stat === undefined) return [advise('key_file_missing', `${path} is not there`)];
  if (stat.isFile() && stat.size !== KEY_SIZE)
    return [advise('wrong_key', `${path} is not a root key of ${KEY_SIZE} bytes`)];
  const isInside = isWithin(realpathSync(dirname(path)), realpathSync(folder));
  return [
    judge('key file', `${path} is yours and closed to others`, () => checkPrivateFile(path)),
    ...(isInside
      ? [advise('key_file_inside', `${path} lies in the vault's folder: whoever copies that has both`)]
      : []),
  ];
}

async function explainSealed(
  client: Client,
  { key_stores: stores }: Status,
  access: VaultAccess,
): Promise<Finding> {
  const reason = await findReason(client);
  // To be sealed is as it should be where somebody chose it, or has a passphrase to give.
  const isExpected = access === 'daemon' || stores.includes('passphrase');
  return (isExpected ? warn : fail)('vault', `sealed, so its entries were not checked: ${reason}`);
}

async function findReason(client: Client): Promise<string> {
  try {
    await client.info();
    return 'it was unsealed just now';
  } catch (error) {
    return toCliError(error).message;
  }
}

async function inspectUnsealed(
  client: Client,
  status: Status,
  access: VaultAccess,
  show: ShowDone,
): Promise<Finding[]> {
  const { key_stores: stores } = status;
  return [
    ...(access === 'daemon' && stores.includes('keychain')
      ? [await askKeychain(client)]
      : [
          ok('key store', `${stores.filter((kind) => kind !== 'recovery').join(', ')}: gave the vault's key`),
        ]),
    ...judgeKek(status),
    ...(await checkEntries(client, show)),
    await compareClock(client),
    await countDue(client),
  ];
}

/** Nothing is said of a KEK of which there is nothing to do. */
function judgeKek({ kek_wraps: wraps, old_kek_generations: old, rotation }: Status): Finding[] {
  if (rotation !== null)
    return [ok('rotation', `under way: ${rotation.done} of ${rotation.total}; see: mav status`)];
  return [
    ...(isWorn(wraps) ? [warn('rotation', 'the key has wrapped 2^40 keys; run: mav key rotate')] : []),
    ...(old.length === 0
      ? []
      : [warn('rotation', `generation ${old.join(', ')} is kept for damaged rows; run: mav key rotate`)]),
  ];
}

/** An unsealed daemon does not show that the keychain works now, so it is made to ask it again. */
async function askKeychain(client: Client): Promise<Finding> {
  try {
    await client.unseal();
    return ok('key store', "keychain: gives the vault's key");
  } catch (error) {
    return fail('key store', toCliError(error).message);
  }
}

async function checkEntries(client: Client, show: ShowDone): Promise<Finding[]> {
  const { rows, damaged } = await checkRows(client, show);
  const file = damaged.filter(({ table }) => table === 'database');
  const old = damaged.filter(({ table }) => OLD_TABLES.includes(table));
  const current = damaged.filter(({ table }) => table !== 'database' && !OLD_TABLES.includes(table));
  const { secrets, fields, tokens, versions } = rows;
  return [
    ...(file.length === 0
      ? [ok('database', 'it is sound, and has the rows that were stored')]
      : file.map(describeFile)),
    current.length === 0
      ? ok('entries', `everything opens (secrets: ${secrets}, fields: ${fields}, tokens: ${tokens})`)
      : fail('entries', `${DAMAGED}: ${nameDamaged(current)}; set them again or delete them`),
    ...(old.length > 0
      ? [fail('old versions', `${DAMAGED}: ${nameDamaged(old)}; purge them`)]
      : versions === 0
        ? []
        : [ok('old versions', `everything opens (versions: ${versions})`)]),
  ];
}

function describeFile({ problem, detail }: DamagedRow): Finding {
  return fail(
    'database',
    problem === 'unreadable'
      ? `it is damaged (${detail}); restore the folder from a backup`
      : `it was ${DAMAGED} (${detail}); restore a backup or, once you know who wrote it, run: mav accept-restore`,
  );
}

const DAMAGED = 'changed by somebody without the key, or damaged';
const OLD_TABLES: readonly CheckedTable[] = ['versions', 'old_fields', 'deleted'];

/** A secret with a damaged field is named once. */
function nameDamaged(damaged: readonly DamagedRow[]): string {
  const names = [...new Set(damaged.map(nameRow))];
  const rest = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  return `${names.slice(0, MAX_NAMED).join(', ')}${rest}`;
}

function nameRow({ table, name, environment = '', version, id }: DamagedRow): string {
  if (name === undefined) return id === undefined ? `rows of ${table}` : `${id} in ${table}`;
  const secret = describeSecret(name, environment);
  return OLD_TABLES.includes(table) && version !== undefined ? `version ${version} of ${secret}` : secret;
}

/** An entry from the future says that the clock is behind: tokens would live too long. */
async function compareClock(client: Client): Promise<Finding> {
  const { items } = await client.listSecrets();
  const newest = items.reduce((latest, { updated_at: at }) => Math.max(latest, Date.parse(at)), 0);
  return newest > Date.now() + CLOCK_SLACK_MS
    ? warn(
        'entry times',
        `the newest entry is of ${formatTime(new Date(newest).toISOString())}, which is in the future: the clock is behind; set it`,
      )
    : ok('entry times', 'none is in the future');
}

async function countDue(client: Client): Promise<Finding> {
  const { due_count: count } = await client.info();
  if (count === 0) return ok('due dates', 'no secret is past one');
  const secrets = count === 1 ? '1 secret is' : `${count} secrets are`;
  return warn('due dates', `${secrets} past expires_at or rotate_by; list and replace: mav list --due now`);
}
