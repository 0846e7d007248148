/**
 * The vault.db of the Go program whose API this one keeps. It lies at the same place, and only an import can read it. Told by its bytes, without SQLite: to open a database in WAL mode already changes the files beside it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const MAGIC = 'SQLite format 3\0';
/** Offset of the application id in an SQLite file (https://www.sqlite.org/fileformat2.html, 1.3), and ours. */
const APPLICATION_OFFSET = 68;
const OUR_APPLICATION = 'MAVL';
const HEADER_SIZE = 100;
/** How much is searched for its tables: the first pages describe them. They are in the log until the first checkpoint. */
const SCHEMA_SIZE = 1_048_576;
/** Columns of its tables, which no version of ours has had. Its schema 2 has only the second of the first two, schema 0 the first. */
const DATA_KEY_COLUMN = 'encrypted_data_key';
const VALUE_COLUMNS = ['encrypted_value', 'encrypted_secret'];

/** Returns what to say of a vault of the Go program; null if the file is another, or missing. Changes nothing. */
export function explainForeignVault(databasePath: string): string | null {
  const header = readStart(databasePath, HEADER_SIZE);
  if (!header.startsWith(MAGIC) || header.startsWith(OUR_APPLICATION, APPLICATION_OFFSET)) return null;
  const isForeign = [databasePath, `${databasePath}-wal`].some((path) => {
    const start = readStart(path, SCHEMA_SIZE);
    return start.includes(DATA_KEY_COLUMN) && VALUE_COLUMNS.some((column) => start.includes(column));
  });
  if (!isForeign) return null;
  return (
    `${databasePath} is a vault of the Go program of this name; nothing was changed. ` +
    'To put a vault of mav with its secrets in its place: mav import --from-maestrovault'
  );
}

/** Whether the file says of itself that it is a vault of ours, whole or not. */
export function isOurVault(databasePath: string): boolean {
  const header = readStart(databasePath, HEADER_SIZE);
  return header.startsWith(MAGIC) && header.startsWith(OUR_APPLICATION, APPLICATION_OFFSET);
}

/** Returns one character for each byte; an empty string if it cannot be read. O_NONBLOCK, so that a FIFO does not block. */
function readStart(path: string, size: number): string {
  let file: number | null = null;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return '';
    const bytes = Buffer.alloc(size);
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, size, 0));
  } catch {
    return '';
  } finally {
    if (file !== null) closeSync(file);
  }
}
