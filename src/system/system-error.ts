/** What the operating system refuses, in words: the one place that knows its codes. Its own messages are not shown. */

const WORDS: Readonly<Record<string, string>> = {
  E2BIG: 'the arguments and the environment are too large',
  EACCES: 'this user may not do that',
  EAGAIN: 'something else has it just now; try again',
  EBADF: 'it is closed',
  EBUSY: 'something else is using it',
  EDQUOT: 'the disk quota is used up; make room',
  EEXIST: 'something is there already',
  EFBIG: 'it is too large',
  EINVAL: 'it is not of the right kind',
  EIO: 'the device failed',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle, or it is one where none may be',
  EMFILE: 'too many files are open; raise the limit: ulimit -n',
  ENAMETOOLONG: 'the path is too long',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'there is no such file or folder',
  ENOMEM: 'there is too little memory',
  ENOSPC: 'the disk is full; make room',
  ENOTDIR: 'a part of its path is not a folder',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'nobody is at its other end',
  EPERM: 'this user may not do that',
  EPIPE: 'nobody reads it any more',
  EROFS: 'the file system is read-only',
  ETXTBSY: 'it is a program that is running',
  EXDEV: 'it lies on another file system',
  ERR_FS_FILE_TOO_LARGE: 'it is too large',
};

/** How messages name what failed: by the system call. */
const WRITING =
  /^(f?sync|fdatasync|ftruncate|mkdir|mkdtemp|rename|rm|rmdir|unlink|write|f?chmod|link|symlink|copyfile)$/;
const RUNNING = /^spawn/;

/** `ENOENT (there is no such file or folder)`; the code alone where it has no words here. */
export function describeSystemError(error: unknown): string {
  const code = findCode(error) ?? 'unknown error';
  const words = findWords(code);
  return words === null ? code : `${code} (${words})`;
}

/** Returns what a code of the system means, or null for an unknown code. */
export function findWords(code: string): string | null {
  return Object.hasOwn(WORDS, code) ? (WORDS[code] ?? null) : null;
}

/** Returns a sentence for a failed system call, or null for an error of another kind. */
export function explainSystemError(error: Error): string | null {
  const { syscall, path, address } = error as NodeJS.ErrnoException & { address?: string };
  const code = findCode(error);
  if (code === null || (syscall === undefined && !Object.hasOwn(WORDS, code))) return null;
  const [program = ''] = (syscall ?? '').split(' ').slice(1);
  if (RUNNING.test(syscall ?? '')) return `${path ?? program} cannot be run: ${describeSystemError(error)}`;
  const verb = WRITING.test(syscall ?? '') ? 'written' : 'read';
  const what = path ?? address ?? (syscall === 'uv_cwd' ? 'the folder that this is run in' : 'something');
  return `${what} cannot be ${verb}: ${describeSystemError(error)}`;
}

function findCode(error: unknown): string | null {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : null;
}
