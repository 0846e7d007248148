/**
 * A new recovery code: shown once on a terminal, where some of its words are asked back, or written into a file. Holds the code
 * as bytes, which are zeroed. The words that are typed are strings, as everything that is typed.
 */
import { randomInt } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describeSystemError } from '../../system/system-error.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';

const MODE = 0o600;
const ASKED_WORDS = 3;
const MAX_ATTEMPTS = 3;
const COLUMNS = 4;
/** The longest word has 8 letters. */
const WORD_WIDTH = 10;
const SPACE = 0x20;

/** Returns whether a code is to be made: into a file, or on the terminal. */
export async function canKeepCode({ context, text }: Input): Promise<boolean> {
  if (text('recovery-file') !== undefined) return true;
  const { canType } = await import('../terminal/prompt.ts');
  return context.canAsk && canType();
}

/** Throws CliError where no new file can be made at this path. */
export function checkRecoveryFile({ text }: Input): void {
  const path = text('recovery-file');
  if (path === undefined) return;
  if (existsSync(path)) throw new CliError(EXIT.failed, `${path} exists already; nothing was done`);
  if (!existsSync(dirname(resolve(path))))
    throw new CliError(EXIT.failed, `the folder of ${path} is not there; make it first`);
}

/**
 * Sees to it that the user has the code: in the file of --recovery-file, or written down from the terminal. `code` has the words
 * with a space between them. Returns a function that removes the file again. Throws CliError if the user does not have it.
 */
export async function handOver(input: Input, code: Uint8Array): Promise<() => void> {
  const path = input.text('recovery-file');
  if (path !== undefined) return writeCode(path, code);
  await showAndAsk(input, splitWords(code));
  return () => {};
}

function writeCode(path: string, code: Uint8Array): () => void {
  const remove = () => rmSync(path, { force: true });
  let file: number | null = null;
  try {
    file = openSync(path, 'wx', MODE);
    writeSync(file, code);
    writeSync(file, '\n');
    fsyncSync(file);
  } catch (error) {
    if (file !== null) remove();
    throw new CliError(
      EXIT.failed,
      `the recovery code cannot be written to ${path}: ${describeSystemError(error)}`,
    );
  } finally {
    if (file !== null) closeSync(file);
  }
  return remove;
}

/** Returns views of the words. */
function splitWords(code: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at <= code.length; at++) {
    if (at < code.length && code[at] !== SPACE) continue;
    words.push(code.subarray(from, at));
    from = at + 1;
  }
  return words;
}

/** The code stands on a screen of its own, which is gone before the words are asked back: nothing of it is left to scroll to. */
async function showAndAsk({ context }: Input, words: readonly Uint8Array[]): Promise<void> {
  const { askText, showScreen } = await import('../terminal/prompt.ts');
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await showScreen(layOut(words), 'Press Enter when you have written it down. ');
    const isRight = await askBack(words, askText);
    if (isRight) return;
    context.complain('That is not what it says. Look at it again.');
  }
  throw new CliError(EXIT.failed, 'the words were not the right ones; nothing was done');
}

/** Within 80 columns, as the words below them. */
const ADVICE = [
  'This is the recovery code of your vault: the vault opens with it when its key',
  'is lost. Write it on paper, and keep it where you keep your passport. It is',
  'shown only now.',
];

/** Returns the bytes of the screen, which the caller zeroes. */
function layOut(words: readonly Uint8Array[]): Uint8Array {
  const rows = Math.ceil(words.length / COLUMNS);
  const pieces: Uint8Array[] = [Buffer.from(`${ADVICE.join('\r\n')}\r\n\r\n`)];
  for (let row = 0; row < rows; row++) {
    for (let at = row; at < words.length; at += rows) {
      const word = words[at] as Uint8Array;
      const gap = ' '.repeat(WORD_WIDTH - word.length);
      pieces.push(Buffer.from(`${String(at + 1).padStart(4)}. `), word, Buffer.from(gap));
    }
    pieces.push(Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from('\r\n'));
  return Buffer.concat(pieces);
}

async function askBack(
  words: readonly Uint8Array[],
  ask: (prompt: string) => Promise<string>,
): Promise<boolean> {
  for (const at of chooseWords(words.length)) {
    const typed = Buffer.from((await ask(`Word ${at + 1}: `)).trim().toLowerCase());
    if (Buffer.compare(typed, words[at] as Uint8Array) !== 0) return false;
  }
  return true;
}

/** Returns some places, in their order. */
function chooseWords(count: number): number[] {
  const chosen = new Set<number>();
  while (chosen.size < ASKED_WORDS) chosen.add(randomInt(count));
  return [...chosen].sort((a, b) => a - b);
}

/** Returns the words in the body of an answer that has nothing else. The caller zeroes the body. */
export function readCode(body: Uint8Array): Uint8Array {
  const start = body.indexOf(Buffer.from(':"')[0] as number) + 2;
  return body.subarray(start, body.length - 2);
}
