/** The file of --passphrase-file, which is held to the rules of a key file. */
import { existsSync } from 'node:fs';
import { checkTrustedFile, readTrustedFile, SECRET } from '../../places/trusted-places.ts';
import { findEndBeforeNewline } from '../../text/final-newline.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { checkReadable, readInputFile } from './input-file.ts';

/** A descriptor that the caller handed over, as a shell does for `<(…)`. Other users cannot write there. */
const HANDED = /^\/(dev\/(stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;
/** More than any passphrase. */
const MAX_SIZE = 1_048_576;

/**
 * Returns the passphrase without the newline that editors and `echo` put at its end. `what`: what the file is, for people. Throws
 * CliError or UntrustedError.
 */
export function readPassphrase(path: string, what = 'passphrase file'): string {
  const bytes = readBytes(path);
  const passphrase = bytes.toString('utf8', 0, findEndBeforeNewline(bytes));
  if (passphrase === '') throw new CliError(EXIT.failed, `the ${what} ${path} is empty`);
  return passphrase;
}

function readBytes(path: string): Buffer {
  if (HANDED.test(path)) return readInputFile(path);
  checkReadable(path);
  return readTrustedFile(path, SECRET, MAX_SIZE) ?? readInputFile(path);
}

/**
 * Throws CliError where --passphrase-file cannot be read, and UntrustedError where another user could read or write it.
 * Not in the daemon: its request thread may not look there, and it serves sealed until the file is back.
 */
export function checkPassphraseFile(input: Input): void {
  const path = input.text('passphrase-file');
  if (path === undefined) return;
  checkReadable(path);
  refuseUntrusted(input);
}

/** As checkPassphraseFile, for one that may be missing yet. It is not read: this process may be open to others yet. */
export function refuseUntrusted({ text }: Input): void {
  const path = text('passphrase-file');
  if (path === undefined || HANDED.test(path)) return;
  // A folder is a mistake in the command; a file that is not there yet may come.
  if (existsSync(path)) checkReadable(path);
  checkTrustedFile(path, SECRET, MAX_SIZE);
}
