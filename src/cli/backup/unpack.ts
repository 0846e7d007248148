/**
 * Takes the database out of a backup into a folder of its own, where it can be opened as a vault. What is verified there is what
 * is restored from there: the backup itself may be exchanged meanwhile, and may lie where nothing can be written.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Home, isThere } from '../../places/home.ts';
import { isRunning } from '../../places/owner.ts';
import { describeSystemError } from '../../system/system-error.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { type BackupHead, openBackup } from './backup-head.ts';
import { copyPieces } from './copy-pieces.ts';

const PREFIX = 'restore-';
const UNIQUE_SIZE = 8;

export interface Unpacked {
  readonly path: string;
  readonly head: BackupHead;
  /** The line that the MAC is over. */
  readonly line: string;
  readonly mac: string;
  /** Where the database lies, as the folder of a vault. */
  readonly folder: string;
  /** Whether the database is what the head says, byte for byte. */
  readonly isWhole: boolean;
}

/** Runs `use` with the unpacked backup, and removes it afterwards. Throws CliError if `path` is no backup. */
export async function withUnpacked<T>(
  home: Home,
  path: string,
  use: (unpacked: Unpacked) => Promise<T>,
): Promise<T> {
  const parent = isThere(home.directory) ? home.directory : tmpdir();
  removeLeft(parent);
  const folder = join(parent, `${PREFIX}${process.pid}-${randomBytes(UNIQUE_SIZE).toString('hex')}`);
  const { fd, head, line, mac, offset, size } = openBackup(path);
  try {
    mkdirSync(folder, { mode: 0o700 });
    const sha256 = copyDatabase(fd, offset, join(folder, 'vault.db'));
    const isWhole = sha256 === head.sha256 && size - offset === head.bytes;
    return await use({ path, head, line, mac, folder, isWhole });
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes what commands left here that were killed. */
function removeLeft(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^restore-(\d+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Returns the SHA-256 of what was copied. Throws CliError. */
function copyDatabase(from: number, offset: number, path: string): string {
  const to = openSync(path, 'wx', 0o600);
  try {
    return copyPieces(from, offset, (piece) => writeFileSync(to, piece)).sha256;
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `${path} cannot be written: ${describeSystemError(error)}; nothing was done`,
    );
  } finally {
    closeSync(to);
  }
}
