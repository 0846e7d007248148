/**
 * The `passphrase` slot: the root key lies in the database, wrapped under a key that Argon2id makes of a passphrase.
 * Holds the passphrase and the root key for the length of a call; the passphrase is zeroed when it has been tried.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeContext } from '../../envelope/context.ts';
import { IntegrityError } from '../../envelope/integrity.ts';
import type { RootKey } from '../../envelope/keys.ts';
import { openSlot, sealSlot } from '../../envelope/slot.ts';
import { SealedError } from '../sealed.ts';

const CREDENTIAL_NAME = 'maestrovault.passphrase';
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The shortest passphrase that `mav init` takes, in bytes. */
export const MIN_PASSPHRASE_SIZE = 8;

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

/** The root key (the caller zeroes it). Throws SealedError with the remedy if it cannot be had. */
export function openPassphraseSlot(
  blob: Uint8Array,
  vaultId: Uint8Array,
  sources: PassphraseSources,
): RootKey {
  const passphrase = findPassphrase(sources);
  if (passphrase === null) throw new SealedError('the vault needs its passphrase; run: mav unseal');
  try {
    return openSlot(passphrase, blob, encodeSlotContext(vaultId));
  } catch (error) {
    if (error instanceof IntegrityError) throw new SealedError('the passphrase is wrong; run: mav unseal');
    throw error;
  } finally {
    passphrase.fill(0);
  }
}

function findPassphrase({ given, file, credentialsDirectory }: PassphraseSources): Uint8Array | null {
  if (given !== null) return given;
  if (file !== null) return readPassphraseFile(file);
  return credentialsDirectory === null ? null : readIfThere(join(credentialsDirectory, CREDENTIAL_NAME));
}

/** A passphrase file's content without the newline that editors and `echo` put at its end. */
export function readPassphraseFile(path: string): Uint8Array {
  const passphrase = readIfThere(path);
  if (passphrase === null)
    throw new SealedError(`the passphrase file ${path} cannot be read; run: mav unseal`);
  return passphrase;
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
