/** What git's index has staged: which files differ from the last commit, and their bytes as they would be committed. */
import { once } from 'node:events';
import { CliError, EXIT } from '../run/failure.ts';
import { runGit, splitByNul, startGit } from './git.ts';

export interface StagedFile {
  /** From the top of the work tree. */
  readonly path: string;
  /** The blob's object id. */
  readonly id: string;
}

/** The mode of a submodule's entry: a commit, which has no bytes here. */
const SUBMODULE = '160000';
/** Added, copied, modified, renamed, or changed in type. A deleted file has no bytes. */
const FILTER = '--diff-filter=ACMRT';
/** Lists blobs by ids and not by names: a name may have a newline, and rename detection would list two names for one. */
const DIFF = [
  '--literal-pathspecs',
  'diff',
  '--cached',
  '--raw',
  '-z',
  '--no-abbrev',
  '--no-renames',
  '--no-relative',
  '--no-ext-diff',
  '--no-textconv',
  FILTER,
];
const RAW_LINE = /^:[0-7]+ ([0-7]+) [0-9a-f]+ ([0-9a-f]+) [A-Z]/;
const NEWLINE = 0x0a;
const NO_REPOSITORY = 'git failed; is this folder in a git work tree?';
const NO_COMPARISON =
  'git cannot compare what is staged with the last commit. What a partial clone does not have, mav has not fetched: ' +
  "'git diff --cached' does, if you trust this repository";

/** `paths` narrow it down. Throws CliError. */
export function listStaged(paths: readonly string[]): StagedFile[] {
  // Without this git compares two folders where there is no repository.
  runGit(['rev-parse', '--git-dir'], NO_REPOSITORY);
  const parts = splitByNul(runGit([...DIFF, '--', ...paths], NO_COMPARISON));
  const files: StagedFile[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [, mode, id] = RAW_LINE.exec(parts[at]?.toString('latin1') ?? '') ?? [];
    if (mode === undefined || id === undefined)
      throw new CliError(EXIT.failed, 'git said what mav does not know');
    if (mode !== SUBMODULE) files.push({ path: parts[at + 1]?.toString() ?? '', id });
  }
  return files;
}

export interface BlobReceiver {
  /** The next bytes of the blob with this index. */
  readonly add: (index: number, piece: Buffer) => void;
  readonly end: (index: number) => void;
  /** Git does not have the blob with this index, or not all of it. */
  readonly lack: (index: number) => void;
}

/** Reads blobs in their order, piece by piece. Throws CliError. */
export async function readBlobs(ids: readonly string[], receiver: BlobReceiver): Promise<void> {
  for (let first = 0; first < ids.length; ) {
    const read = await readUntilLack(ids.slice(first), {
      add: (index, piece) => receiver.add(first + index, piece),
      end: (index) => receiver.end(first + index),
      lack: (index) => receiver.lack(first + index),
    });
    first += read;
    // Some versions of git end at a blob that they may not fetch.
    if (first < ids.length) receiver.lack(first++);
  }
}

/** Returns how many blobs git sent before it ended. */
async function readUntilLack(ids: readonly string[], receiver: BlobReceiver): Promise<number> {
  const git = startGit(['cat-file', '--batch']);
  const failed = once(git, 'error').then(() => {
    throw new CliError(EXIT.failed, 'git cannot be run');
  });
  const answers = new BatchReader(receiver);
  git.stdin?.on('error', () => {});
  git.stdin?.end(ids.map((id) => `${id}\n`).join(''));
  const read = async () => {
    for await (const chunk of git.stdout ?? []) answers.add(chunk);
  };
  await Promise.race([read(), failed]);
  return answers.count;
}

/** The answers of `git cat-file --batch`: a line with id, type and size, so many bytes, a newline; or `ID missing`. */
class BatchReader {
  readonly #receiver: BlobReceiver;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the blob that are still to come; null between two blobs. */
  #missing: number | null = null;
  /** How many blobs have ended or are missing. */
  count = 0;

  constructor(receiver: BlobReceiver) {
    this.#receiver = receiver;
  }

  add(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#missing === null ? this.#takeHead() : this.#takeBytes(this.#missing));
  }

  /** Whether there may be more to take. */
  #takeHead(): boolean {
    const end = this.#rest.indexOf(NEWLINE);
    if (end < 0) return false;
    const head = this.#rest.toString('latin1', 0, end);
    const size = /^[0-9a-f]+ [a-z]+ ([0-9]+)$/.exec(head)?.[1];
    this.#rest = this.#rest.subarray(end + 1);
    if (size !== undefined) this.#missing = Number(size);
    else if (/^[0-9a-f]+ missing$/.test(head)) this.#receiver.lack(this.count++);
    else throw new CliError(EXIT.failed, 'git could not read all that is staged');
    return true;
  }

  #takeBytes(missing: number): boolean {
    const piece = this.#rest.subarray(0, missing);
    this.#receiver.add(this.count, piece);
    this.#missing = missing - piece.length;
    this.#rest = this.#rest.subarray(piece.length);
    // The newline behind the bytes.
    if (this.#missing > 0 || this.#rest.length === 0) return false;
    this.#rest = this.#rest.subarray(1);
    this.#receiver.end(this.count);
    this.#missing = null;
    this.count += 1;
    return true;
  }
}
