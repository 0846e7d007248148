/** Asking a person on the terminal. Loaded only by what has to ask; a secret that is typed is not shown. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { escapeLines } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from './interruption.ts';
import { stopProgress } from './progress.ts';

/** Pasted text arrives within this time. A person types more slowly. */
const PASTE_MS = 30;
/** The terminal that the process was started from, whatever its standard input is. */
const CONTROLLING_TERMINAL = '/dev/tty';
/** How often the user may choose something that cannot be taken. */
const MAX_CHOICES = 5;
/** Control sequences of xterm, which every terminal of today has: to the second screen, cleared, and back. */
const OTHER_SCREEN = '\x1b[?1049h\x1b[2J\x1b[H';
const FIRST_SCREEN = '\x1b[?1049l';
/** The shortest passphrase that a vault is made with, in characters; the vault checks it too. */
export const MIN_PASSPHRASE_LENGTH = 8;

/** Whether there is a terminal to type on. */
export function canType(): boolean {
  if (process.stdin.isTTY) return true;
  try {
    closeSync(openSync(CONTROLLING_TERMINAL, 'r'));
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns a request body `{"passphrase": …}`, or null if nothing was typed. Throws CliError at Ctrl-C and at the end of
 * input.
 */
export async function askPassphrase(prompt: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const typed = await askSecret(prompt);
  return typed === '' ? null : encodeMember('passphrase', typed);
}

/** As askPassphrase, for a new passphrase: typed twice, and asked for again where it cannot be taken. `member`: its name in the body. */
export async function askNewPassphrase(
  context: Context,
  member: 'passphrase' | 'new_passphrase' = 'passphrase',
): Promise<Uint8Array<ArrayBuffer>> {
  const prompt = `New passphrase (at least ${MIN_PASSPHRASE_LENGTH} characters): `;
  const passphrase = await askTwice(context, prompt, (typed) =>
    [...typed].length < MIN_PASSPHRASE_LENGTH
      ? `That has fewer than ${MIN_PASSPHRASE_LENGTH} characters. Choose a longer one.`
      : null,
  );
  return encodeMember(member, passphrase);
}

/** Returns a request body `{"recovery_code": …}`. Throws CliError as askPassphrase does. */
export async function askRecoveryCode(): Promise<Uint8Array<ArrayBuffer>> {
  return encodeMember('recovery_code', await askSecret('Recovery code (24 words, not shown): '));
}

/** Typed twice, until both are the same; as typed, spaces included, and not empty. Throws CliError as askPassphrase does. */
export function askNewSecret(context: Context, what: string): Promise<string> {
  return askTwice(context, `${what}: `, (typed) => (typed === '' ? 'That is empty.' : null));
}

/** `judge` returns why an answer cannot be taken, or null if it can. */
async function askTwice(
  context: Context,
  prompt: string,
  judge: (typed: string) => string | null,
): Promise<string> {
  for (let choice = 0; choice < MAX_CHOICES; choice++) {
    const first = await askSecret(prompt);
    const problem = judge(first);
    if (problem === null && (await askSecret('Once more: ')) === first) return first;
    context.complain(problem ?? 'These were not the same.');
  }
  throw new CliError(EXIT.failed, 'no answer that can be taken; nothing was done');
}

/** Returns what was typed, which is shown meanwhile. Throws CliError as showScreen does. */
export function askText(prompt: string): Promise<string> {
  return withInput(async (input) => {
    stopProgress();
    const reader = createInterface({ input, output: process.stderr, terminal: true });
    // Ctrl-Z would leave what is on the other screen to the shell.
    reader.on('SIGTSTP', () => {});
    try {
      return await readLine(reader, prompt);
    } catch (error) {
      // The error begins a line of its own.
      process.stderr.write('\n');
      throw error;
    } finally {
      reader.close();
    }
  });
}

/**
 * Shows bytes on a screen of their own until Enter is pressed, and then the screen that was there before. `hasScreens`: whether
 * the terminal can do that; else they stay where they are. Zeroes the bytes. Returns what was typed. Throws CliError at Ctrl-C, at the end of
 * input, and at a signal that ends the process.
 */
export async function showScreen(bytes: Uint8Array, prompt: string, hasScreens: boolean): Promise<string> {
  if (hasScreens) process.stderr.write(OTHER_SCREEN);
  try {
    writeSync(process.stderr.fd, bytes);
    return await askText(prompt);
  } finally {
    bytes.fill(0);
    if (hasScreens) process.stderr.write(FIRST_SCREEN);
  }
}

function askSecret(prompt: string): Promise<string> {
  return withInput(async (input) => {
    stopProgress();
    const reader = createInterface({ input, output: nowhere(), terminal: true });
    // Only now: the reader has told the terminal to show nothing of what is typed.
    process.stderr.write(escapeLines(prompt));
    const lines: string[] = [];
    reader.on('line', (line) => lines.push(line));
    try {
      const line = await readLine(reader, '');
      await sleep(PASTE_MS);
      if (lines.length === 1 && reader.line === '') return line;
      throw new CliError(
        EXIT.failed,
        'more than one line was pasted and nothing was done; give such a value by a pipe or a file',
      );
    } finally {
      reader.close();
      process.stderr.write('\n');
    }
  });
}

/** Standard input if it is a terminal; else what is piped in stays unread, and the terminal itself is opened. */
async function withInput<T>(use: (input: ReadStream) => Promise<T>): Promise<T> {
  if (process.stdin.isTTY) return use(process.stdin);
  const input = new ReadStream(openSync(CONTROLLING_TERMINAL, 'r'));
  try {
    return await use(input);
  } finally {
    input.destroy();
  }
}

/** Rejects with CliError at Ctrl-C, at the end of input, and at a signal that ends the process. */
function readLine(reader: Interface, prompt: string): Promise<string> {
  const interruption = watchSignals(() => reader.close());
  const answered = new Promise<string>((resolve, reject) => {
    reader.once('line', resolve);
    reader.once('SIGINT', () => reject(new CliError(EXIT.interrupted, 'stopped; nothing was done')));
    reader.once('close', () => {
      const { signal } = interruption;
      if (signal === null) reject(new CliError(EXIT.failed, 'no answer; nothing was done'));
      else reject(new CliError(exitCodeOfSignal(signal), 'stopped; nothing was done'));
    });
    reader.setPrompt(escapeLines(prompt));
    reader.prompt();
  });
  return answered.finally(() => interruption.end());
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function encodeMember(member: string, typed: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ [member]: typed }));
}
