/**
 * Tells this program's files from others before SQLite opens one for writing. Opening alone would change a file in WAL mode
 * and create others beside it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';
import { UnusableDatabaseError } from './unusable.ts';

/** Two numbers in an SQLite file's header. */
export interface Identity {
  readonly application: number;
  readonly version: number;
}

/** The header of the first page: https://www.sqlite.org/fileformat2.html, section 1.3. */
const HEADER_SIZE = 100;
/** The first schema of this program. */
const FIRST_SCHEMA_VERSION = 4;
const MAGIC = 'SQLite format 3\0';
const VERSION_OFFSET = 60;
const APPLICATION_OFFSET = 68;

/** Returns null if these are not the first bytes of an SQLite file. */
export function parseIdentity(page: Buffer): Identity | null {
  if (page.length < HEADER_SIZE || page.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  return {
    application: page.readInt32BE(APPLICATION_OFFSET),
    version: page.readInt32BE(VERSION_OFFSET),
  };
}

export function isOurs(identity: Identity | null): boolean {
  return identity?.application === APPLICATION_ID && identity.version >= FIRST_SCHEMA_VERSION;
}

/** Throws UnusableDatabaseError unless the file is this program's and has its schema. */
export function judgeIdentity(path: string, identity: Identity): void {
  const { version } = identity;
  if (!isOurs(identity)) {
    throw new UnusableDatabaseError(
      `${path} is not a MaestroVault database; nothing in it was changed; move it away, or set MAV_HOME to another folder`,
    );
  }
  if (version < SCHEMA_VERSION) {
    throw new UnusableDatabaseError(
      `${path} has schema ${version}, of a program that was never released, and its rows cannot be brought up to schema ` +
        `${SCHEMA_VERSION}; nothing in it was changed; export its secrets with that program, and import them into a new vault`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new UnusableDatabaseError(
      `${path} has schema ${version}, newer than this program's ${SCHEMA_VERSION}; update MaestroVault`,
    );
  }
}

/** As judgeIdentity, but reads the identity from the first bytes of the file. */
export function judgeHeader(path: string): void {
  const header = readHeader(path);
  const identity = parseIdentity(header);
  if (identity !== null) judgeIdentity(path, identity);
  else {
    const what = header.length === 0 ? 'it is empty' : 'it is no SQLite database';
    throw new UnusableDatabaseError(`${path} cannot be read: ${what}; restore it from a backup`);
  }
}

/** O_NONBLOCK: opening a FIFO must not block. */
function readHeader(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const header = Buffer.alloc(HEADER_SIZE);
    const length = fstatSync(descriptor).isFile() ? readSync(descriptor, header, 0, HEADER_SIZE, 0) : 0;
    return header.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
