/** Reads passphrases from a file or a descriptor. The caller zeroes them. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { SealedError } from '../../errors/sealed.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ACCESS_BY_OTHERS = 0o077;
/** Paths of descriptors that the parent process handed over, as a shell does for `<(…)`. */
const HANDED = /^\/(dev\/(stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/;

/** Returns the file's content, which the caller zeroes, without the newline that editors and `echo` put at its end. */
export function readPassphraseFile(path: string): Uint8Array {
  const passphrase = readOwnFile(path);
  if (passphrase === null)
    throw new SealedError('passphrase_file', `the passphrase file ${path} cannot be read`);
  return passphrase;
}

/** Returns null if the file cannot be read. The folders above it were checked before the daemon confined itself. */
function readOwnFile(path: string): Uint8Array | null {
  if (HANDED.test(path)) return readPassphraseIfThere(path);
  let file: number | null = null;
  try {
    // O_NOFOLLOW: a user who may place a link must not choose the passphrase. O_NONBLOCK: opening a FIFO must not block.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    refuseExposed(path, stat);
    return trimNewline(readFileSync(file));
  } catch (error) {
    if (error instanceof SealedError) throw error;
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

function refuseExposed(path: string, { mode, uid }: Stats): void {
  if (uid !== process.geteuid?.() && uid !== 0)
    throw new SealedError('passphrase_file', `the passphrase file ${path} belongs to another user`);
  if ((mode & ACCESS_BY_OTHERS) !== 0)
    throw new SealedError(
      'passphrase_file',
      `the passphrase file ${path} is open to other users (chmod 600)`,
    );
}

/** Returns null if the file cannot be read. The caller zeroes the passphrase. */
export function readPassphraseIfThere(path: string): Uint8Array | null {
  try {
    return trimNewline(readFileSync(path));
  } catch {
    return null;
  }
}

/** Removes one `\n` or `\r\n` at the end, as the command line does with a passphrase file that it sends. */
function trimNewline(bytes: Buffer): Uint8Array {
  if (bytes.at(-1) !== NEWLINE) return bytes;
  return bytes.subarray(0, bytes.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}
