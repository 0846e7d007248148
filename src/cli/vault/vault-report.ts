/** A report of the vault that asks the user nothing: for `mav status` and `mav destroy`. */
import { statSync } from 'node:fs';
import { isAlive } from '../../client/alive.ts';
import type { Client } from '../../client/client.ts';
import { ConnectionError } from '../../client/connection-error.ts';
import { MaestroVaultError } from '../../client/errors.ts';
import type { ChangedRows, Health, Info, RotationProgress, Status } from '../../client/types.ts';
import { explainForeignVault } from '../../places/foreign-vault.ts';
import { describeNoVault, type Home, isThere } from '../../places/home.ts';
import { readOwner } from '../../places/owner.ts';
import type { Input } from '../run/command.ts';
import { CliError, hasErrorCode } from '../run/failure.ts';
import { readGivenToken, withVault } from './access.ts';
import { describeSilence, findDaemon, isSilent } from './silent-daemon.ts';
import type { Use } from './vault-access.ts';

/** As `mav status -o json` prints it; null is what nothing says. The names are stable. */
export interface VaultReport {
  readonly daemon: 'running' | 'not running' | 'not answering';
  readonly daemon_pid: number | null;
  readonly daemon_since: string | null;
  readonly state: 'unsealed' | 'sealed' | 'no vault' | 'not answering' | 'in use';
  readonly sealed: boolean | null;
  /** Whether the daemon has met damage in the database, so that nothing is written to it any more. */
  readonly damaged: boolean | null;
  /** Whether the daemon found that rows, or the audit log, were changed without the key. */
  readonly changed: boolean | null;
  /** What was changed; null also for a token, which is not told. */
  readonly changed_rows: ChangedRows | null;
  /** Whether the running daemon's program was replaced or removed, as by an upgrade: it is to be restarted. */
  readonly replaced: boolean | null;
  /** When the daemon will seal the vault if no secret is asked for until then, and when in any case. */
  readonly idle_seal_at: string | null;
  readonly max_unsealed_at: string | null;
  /** What `seal_on` asks for and the daemon does not hear at present, and why; null: a token is not told, or no daemon runs. */
  readonly unheard: readonly string[] | null;
  /** Why it cannot be used, or not written to, with what to do. */
  readonly reason: string | null;
  readonly vault_id: string | null;
  readonly key_stores: readonly string[] | null;
  readonly key_file: string | null;
  readonly kek_generation: number | null;
  /** How many keys that generation has wrapped, or a little more. */
  readonly kek_wraps: number | null;
  /** Older generations that the vault still has: while it is rotated, and for damaged rows after it. */
  readonly old_kek_generations: readonly number[] | null;
  /** null also if there is none. */
  readonly rotation: RotationProgress | null;
  readonly secret_count: number | null;
  /** Secrets whose `expires_at` or `rotate_by` is over. */
  readonly due_count: number | null;
  /** Deleted secrets that can be restored. */
  readonly deleted_count: number | null;
  /** Old versions that are kept, those of deleted secrets among them. */
  readonly version_count: number | null;
  readonly history_bytes: number | null;
  readonly keep_versions: number | null;
  readonly keep_deleted_days: number | null;
  readonly folder: string | null;
  readonly database: string | null;
  readonly database_size_bytes: number | null;
  readonly socket: string;
}

/** Whether a KEK that has wrapped so many keys is to be replaced. */
export function isWorn(wraps: number): boolean {
  return wraps >= 2 ** 40;
}

/** How long to wait for another command that has the vault: a report must come soon. */
export const TURN_PATIENCE_MS = 2_000;

/** How long a daemon may take: it may answer health checks while its vault is stuck. */
const ANSWER_MS = 10_000;

/** Throws CliError if the vault may not be asked. */
export async function reportVault(input: Input): Promise<VaultReport> {
  const { home, context } = input;
  const isOwner = readGivenToken(context.env) === null;
  const obstacle = isOwner ? await findObstacle(home) : null;
  if (obstacle !== null) return describeNothing(input, obstacle);
  if (await isSilent(home)) return describeSilent(input, describeSilence(home));
  try {
    return await withVault(input, isOwner ? reportToOwner(home) : reportToToken(home), {
      mayBeSealed: true,
      turnPatienceMs: TURN_PATIENCE_MS,
      answerWithinMs: ANSWER_MS,
    });
  } catch (error) {
    if (error instanceof ConnectionError || (error instanceof CliError && error.isSilence))
      return describeSilent(input, error.message);
    // By its code: the class lies in a part of the program that is loaded only where no daemon runs.
    if (!hasErrorCode(error, 'owned_elsewhere')) throw error;
    return { ...describeNothing(input, (error as Error).message), ...findFiles(home), state: 'in use' };
  }
}

/** Returns why no vault can be asked; null if a daemon runs, or a vault is there. */
async function findObstacle(home: Home): Promise<string | null> {
  if (await isAlive(home.socketPath)) return null;
  const foreign = explainForeignVault(home.databasePath);
  return foreign ?? (isThere(home.databasePath) ? null : describeNoVault(home));
}

function reportToOwner(home: Home): Use<VaultReport> {
  return async (client, access) => {
    const answers = await askAsSession(client);
    const owner = access === 'daemon' ? readOwner(home.ownerPath) : null;
    const daemon = owner?.command === 'serve' ? owner : null;
    return describeAnswers(answers, home, {
      daemon: access === 'daemon' ? 'running' : 'not running',
      daemon_pid: daemon?.pid ?? null,
      daemon_since: daemon?.since ?? null,
      socket: home.socketPath,
    });
  };
}

/** A token is not told what only the files of the vault's user say. It always asks a daemon. */
function reportToToken({ socketPath: socket }: Home): Use<VaultReport> {
  return async (client) =>
    describeAnswers(await askAsToken(client), null, {
      daemon: 'running',
      daemon_pid: null,
      daemon_since: null,
      socket,
    });
}

function describeSilent(input: Input, reason: string): VaultReport {
  const { home } = input;
  return {
    ...describeNothing(input, reason),
    ...findFiles(home),
    daemon: 'not answering',
    daemon_pid: findDaemon(home),
    state: 'not answering',
  };
}

const DAMAGED =
  'the database is damaged, and nothing is written to it any more; save what can be read with ' +
  'mav export --skip-unreadable, then restore a backup';

interface Answers {
  readonly status: Partial<Status> & Pick<Status, 'sealed'>;
  readonly info: Info | null;
  readonly damaged: boolean;
  readonly changed: boolean;
  readonly changedRows: ChangedRows | null;
  readonly replaced: boolean;
  readonly idleSealAt: string | null;
  readonly maxUnsealedAt: string | null;
  readonly unheard: readonly string[];
  readonly reason: string | null;
}

async function askAsSession(client: Client): Promise<Answers> {
  try {
    const status = await client.status();
    const info = await askForInfo(client);
    return withDamage(status, info, await client.health());
  } catch (error) {
    if (!isStrange(error)) throw error;
    // Of a vault that is not the known one only that is reported.
    return withDamage({ sealed: true }, { info: null, reason: error.message }, await client.health());
  }
}

function isStrange(error: unknown): error is MaestroVaultError {
  const { reason } = error as { reason?: unknown };
  return error instanceof MaestroVaultError && (reason === 'unknown_vault' || reason === 'other_vault');
}

/** Asks for what a token may see: whether the vault is sealed and, if it may read, the rest. */
async function askAsToken(client: Client): Promise<Answers> {
  const info = await askForInfo(client);
  const health = await client.health();
  return withDamage({ sealed: health.sealed ?? false }, info, health);
}

/** Asked for last: to count the secrets may be what meets the damage. */
function withDamage(status: Answers['status'], { info, reason }: Told, health: Health): Answers {
  const damaged = health.damaged ?? false;
  const { replaced = false, changed = false, changed_rows: changedRows = null } = health;
  const { idle_seal_at: idleSealAt = null, max_unsealed_at: maxUnsealedAt = null, unheard = [] } = health;
  return {
    status,
    info,
    damaged,
    changed,
    changedRows,
    replaced,
    idleSealAt,
    maxUnsealedAt,
    unheard,
    reason: damaged ? DAMAGED : reason,
  };
}

type Told = Pick<Answers, 'info' | 'reason'>;

async function askForInfo(client: Client): Promise<Told> {
  try {
    return { info: await client.info(), reason: null };
  } catch (error) {
    if (!(error instanceof MaestroVaultError)) throw error;
    if (error.code === 'forbidden') return { info: null, reason: null };
    if (error.code === 'sealed' || error.code === 'integrity') return { info: null, reason: error.message };
    throw error;
  }
}

type Reached = Pick<VaultReport, 'daemon' | 'daemon_pid' | 'daemon_since' | 'socket'>;

/** `home`: used for what the daemon does not say; null for a token, which is not told. */
function describeAnswers(
  { status, info, reason, ...health }: Answers,
  home: Home | null,
  reached: Reached,
): VaultReport {
  return {
    ...reached,
    state: status.sealed ? 'sealed' : 'unsealed',
    sealed: status.sealed,
    damaged: health.damaged,
    changed: health.changed,
    changed_rows: health.changedRows,
    replaced: health.replaced,
    idle_seal_at: health.idleSealAt,
    max_unsealed_at: health.maxUnsealedAt,
    unheard: home !== null && reached.daemon === 'running' ? health.unheard : null,
    reason,
    vault_id: status.vault_id ?? null,
    key_stores: status.key_stores ?? null,
    key_file: status.key_file ?? null,
    kek_generation: status.kek_generation ?? null,
    kek_wraps: status.kek_wraps ?? null,
    old_kek_generations: status.old_kek_generations ?? null,
    rotation: status.rotation ?? info?.rotation ?? null,
    secret_count: info?.secret_count ?? null,
    due_count: info?.due_count ?? null,
    deleted_count: info?.deleted_count ?? null,
    version_count: info?.version_count ?? null,
    history_bytes: info?.history_bytes ?? null,
    keep_versions: info?.keep_versions ?? null,
    keep_deleted_days: info?.keep_deleted_days ?? null,
    folder: info?.dir ?? home?.directory ?? null,
    database: info?.db_path ?? home?.databasePath ?? null,
    database_size_bytes: info?.db_size_bytes ?? (home === null ? null : findSize(home.databasePath)),
  };
}

function findSize(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}

function findFiles({ databasePath }: Home): Pick<VaultReport, 'database' | 'database_size_bytes'> {
  const size = findSize(databasePath);
  return { database: size === null ? null : databasePath, database_size_bytes: size };
}

function describeNothing({ home }: Input, reason: string): VaultReport {
  return {
    daemon: 'not running',
    daemon_pid: null,
    daemon_since: null,
    state: 'no vault',
    sealed: null,
    damaged: null,
    changed: null,
    changed_rows: null,
    replaced: null,
    idle_seal_at: null,
    max_unsealed_at: null,
    unheard: null,
    reason,
    vault_id: null,
    key_stores: null,
    key_file: null,
    kek_generation: null,
    kek_wraps: null,
    old_kek_generations: null,
    rotation: null,
    secret_count: null,
    due_count: null,
    deleted_count: null,
    version_count: null,
    history_bytes: null,
    keep_versions: null,
    keep_deleted_days: null,
    folder: home.directory,
    database: null,
    database_size_bytes: null,
    socket: home.socketPath,
  };
}
