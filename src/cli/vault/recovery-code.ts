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
import { layOutCode, type ScreenSize } from './recovery-screen.ts';

const MODE = 0o600;
const ASKED_WORDS = 3;
const MAX_ATTEMPTS = 3;
/** What is typed to have no code. */
const SKIP = 'skip';
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
 * with a space between them. Returns a function that removes the file again; null if the user wants no code, which `maySkip` permits.
 * Throws CliError if the user does not have it.
 */
export async function handOver(
  input: Input,
  code: Uint8Array,
  maySkip = false,
): Promise<(() => void) | null> {
  const path = input.text('recovery-file');
  if (path !== undefined) return writeCode(path, code);
  return (await showAndAsk(input, splitWords(code), maySkip)) ? () => {} : null;
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

/**
 * The code stands on a screen of its own, which is gone before the words are asked back: nothing of it is left to scroll to. Returns
 * false if the user wants no code.
 */
async function showAndAsk(input: Input, words: readonly Uint8Array[], maySkip: boolean): Promise<boolean> {
  const { askText, showScreen } = await import('../terminal/prompt.ts');
  const hidesWords = input.context.env.TERM !== 'dumb';
  let wrong: string | null = null;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const notes = [...(wrong === null ? [] : [wrong]), ...describeScreen(hidesWords, maySkip)];
    const screen = layOutCode(words, notes, findSize(process.stderr));
    const typed = await showScreen(screen, 'Press Enter when you have written it down. ', hidesWords);
    if (maySkip && typed.trim().toLowerCase() === SKIP) return false;
    const at = await findWrong(words, askText);
    if (at === null) return true;
    wrong = `What you typed is not word ${at + 1}. Look at it again.`;
  }
  const without = maySkip ? '; without a code: mav init --no-recovery' : '';
  throw new CliError(EXIT.failed, `the words were not the right ones; nothing was done${without}`);
}

/** A terminal that does not say how large it is says 0, or nothing. */
function findSize({ columns, rows }: { readonly columns?: number; readonly rows?: number }): ScreenSize {
  return { columns: columns || 80, rows: rows || 24 };
}

function describeScreen(hidesWords: boolean, maySkip: boolean): string[] {
  return [
    ...(hidesWords ? [] : ['This terminal cannot hide the words again: close it afterwards.']),
    'Three of the words are asked back then. Ctrl-C stops, and nothing is done.',
    ...(maySkip ? [`To go on without a code, type ${SKIP} (as with --no-recovery).`] : []),
  ];
}

/** Asks for some of the words. Returns which was wrong; null if none was. */
async function findWrong(
  words: readonly Uint8Array[],
  ask: (prompt: string) => Promise<string>,
): Promise<number | null> {
  for (const at of chooseWords(words.length)) {
    const typed = Buffer.from((await ask(`Word ${at + 1} of the recovery code: `)).trim().toLowerCase());
    if (Buffer.compare(typed, words[at] as Uint8Array) !== 0) return at;
  }
  return null;
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
