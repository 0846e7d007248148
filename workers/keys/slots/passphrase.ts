/**
 * The `passphrase` slot: the root key lies in the database, wrapped under a key that Argon2id makes of a passphrase.
 * Holds the passphrase and the root key for the length of a call; the passphrase is zeroed when it has been tried.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { encodeContext } from '../../envelope/context.ts';
import { IntegrityError } from '../../envelope/integrity.ts';
import type { RootKey } from '../../envelope/keys.ts';
import { openSlot, sealSlot } from '../../envelope/slot.ts';
import { SealedError } from '../sealed.ts';

const CREDENTIAL_NAME = 'maestrovault.passphrase';
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ACCESS_BY_OTHERS = 0o077;
/** What whoever started this has handed over, as `<(…)` of a shell. */
const HANDED = /^\/(dev\/(stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;

/** The shortest passphrase that a vault is made with, in characters. */
export const MIN_PASSPHRASE_LENGTH = 8;

/** Where a passphrase may come from, in the order in which they are tried. */
export interface PassphraseSources {
  readonly given: Uint8Array | null;
  readonly file: string | null;
  readonly credentialsDirectory: string | null;
}

function encodeSlotContext(vaultId: Uint8Array): Buffer {
  return encodeContext({ vaultId, kind: 'slot', environment: '', name: 'passphrase', field: '', version: 0 });
}

/** Answers the slot's blob. */
export function sealPassphraseSlot(passphrase: Uint8Array, rootKey: RootKey, vaultId: Uint8Array): Buffer {
  return sealSlot(passphrase, rootKey, encodeSlotContext(vaultId));
}

/** The root key (the caller zeroes it). Throws SealedError if it cannot be had. */
export function openPassphraseSlot(
  blob: Uint8Array,
  vaultId: Uint8Array,
  sources: PassphraseSources,
): RootKey {
  const passphrase = findPassphrase(sources);
  if (passphrase === null) throw new SealedError('needs_passphrase', 'the vault needs its passphrase');
  try {
    return openSlot(passphrase, blob, encodeSlotContext(vaultId));
  } catch (error) {
    throw error instanceof IntegrityError ? explainWrong(sources) : error;
  } finally {
    passphrase.fill(0);
  }
}

function explainWrong({ given, file }: PassphraseSources): SealedError {
  if (given !== null) return new SealedError('wrong_passphrase', 'the passphrase is wrong');
  const source = file === null ? `the credential ${CREDENTIAL_NAME}` : `the file ${file}`;
  return new SealedError('passphrase_file', `the passphrase in ${source} is wrong`);
}

function findPassphrase({ given, file, credentialsDirectory }: PassphraseSources): Uint8Array | null {
  if (given !== null) return given;
  if (file !== null) return readPassphraseFile(file);
  return credentialsDirectory === null ? null : readIfThere(join(credentialsDirectory, CREDENTIAL_NAME));
}

/** A passphrase file's content without the newline that editors and `echo` put at its end. */
export function readPassphraseFile(path: string): Uint8Array {
  const passphrase = readOwn(path);
  if (passphrase === null)
    throw new SealedError('passphrase_file', `the passphrase file ${path} cannot be read`);
  return passphrase;
}

/** null where it cannot be read. The folders above it were checked before the daemon closed itself. */
function readOwn(path: string): Uint8Array | null {
  if (HANDED.test(path)) return readIfThere(path);
  let file: number | null = null;
  try {
    // O_NOFOLLOW: whoever may place a link must not choose the passphrase. O_NONBLOCK: a FIFO must not make us wait.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    refuseOpen(path, stat);
    return trimNewline(readFileSync(file));
  } catch (error) {
    if (error instanceof SealedError) throw error;
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function refuseOpen(path: string, { mode, uid }: Stats): void {
  if (uid !== process.geteuid?.() && uid !== 0)
    throw new SealedError('passphrase_file', `the passphrase file ${path} belongs to another user`);
  if ((mode & ACCESS_BY_OTHERS) !== 0)
    throw new SealedError(
      'passphrase_file',
      `the passphrase file ${path} is open to other users (chmod 600)`,
    );
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return trimNewline(readFileSync(path));
  } catch {
    return null;
  }
}

/** As the command line does with the file that it sends: `\n` or `\r\n`, once. */
function trimNewline(bytes: Buffer): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}
