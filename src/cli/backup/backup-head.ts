/**
 * What stands before the database in a backup: a line of JSON that says of which vault it is, and a line with its MAC. Only the
 * vault's key shows whether the head is genuine; until then it is only what the file says of itself.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { KnownVault } from '../../../workers/messages.ts';
import { parseKnownVault } from '../../places/known-vaults.ts';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT } from '../run/failure.ts';

const FORMAT = 'maestrovault-backup';
const FORMAT_VERSION = 1;
/** A head has a config.json of at most 64 kB, each character of which may be escaped. */
const MAX_HEAD_SIZE = 524_288;
const NEWLINE = 0x0a;
const MAC = /^[0-9a-f]{64}$/;

export interface BackupHead {
  /** RFC 3339, UTC, to the second. */
  readonly made_at: string;
  readonly vault: KnownVault;
  /** The text of config.json; null if there was none. */
  readonly config: string | null;
  /** Of the database. */
  readonly bytes: number;
  /** Of the database, 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface OpenBackup {
  readonly fd: number;
  readonly head: BackupHead;
  /** The line that the MAC is over, as it stands in the file. */
  readonly line: string;
  readonly mac: string;
  /** Where the database begins. */
  readonly offset: number;
  readonly size: number;
}

/** Opens a backup, for the caller to close its `fd`. Throws CliError if the file is none. */
export function openBackup(path: string): OpenBackup {
  const fd = attemptOpen(path);
  try {
    return { fd, ...readHead(path, fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** O_NONBLOCK: opening a FIFO must not block. */
function attemptOpen(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new CliError(EXIT.failed, `${path} cannot be read: ${describeSystemError(error)}`);
  }
}

function readHead(path: string, fd: number): Omit<OpenBackup, 'fd'> {
  const stat = fstatSync(fd);
  if (stat.isDirectory())
    throw new CliError(EXIT.failed, `${path} is a folder; name one of the backups in it`);
  if (!stat.isFile()) throw new CliError(EXIT.failed, `${path} is not a regular file`);
  const bytes = Buffer.alloc(Math.min(stat.size, MAX_HEAD_SIZE));
  readSync(fd, bytes, 0, bytes.length, 0);
  const end = bytes.indexOf(NEWLINE);
  const macEnd = bytes.indexOf(NEWLINE, end + 1);
  const line = bytes.toString('utf8', 0, Math.max(0, end));
  const mac = bytes.toString('latin1', end + 1, Math.max(0, macEnd));
  const head = end === -1 || macEnd === -1 || !MAC.test(mac) ? null : parseHead(path, line);
  if (head === null)
    throw new CliError(EXIT.failed, `${path} is not a backup of mav, or its beginning is damaged`);
  return { head, line, mac, offset: macEnd + 1, size: stat.size };
}

/** Returns null if the line is not a head. Throws CliError if it is one of a newer program. */
export function parseHead(path: string, line: string): BackupHead | null {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(line);
  } catch {
    return null;
  }
  if (parsed === null || typeof parsed !== 'object' || parsed.format !== FORMAT) return null;
  if (parsed.version !== FORMAT_VERSION)
    throw new CliError(EXIT.failed, `${path} was made by a newer mav (format ${parsed.version}); update mav`);
  const { made_at: madeAt, config, bytes, sha256 } = parsed;
  const vault = parseKnownVault(parsed.vault);
  const isSound =
    typeof madeAt === 'string' &&
    !Number.isNaN(Date.parse(madeAt)) &&
    (config === null || typeof config === 'string') &&
    Number.isSafeInteger(bytes) &&
    typeof sha256 === 'string';
  return isSound && vault !== null ? { made_at: madeAt, vault, config, bytes: Number(bytes), sha256 } : null;
}
