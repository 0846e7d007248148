/** Asking a person on the terminal. Loaded only by what has to ask; a secret that is typed is not shown. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './context.ts';
import { CliError, EXIT } from './failure.ts';

/** What is pasted comes within this time; nobody types that fast. */
const PASTE_MS = 30;

/** A request body `{"passphrase": …}` of what was typed. Throws CliError at Ctrl-C and at the end of input. */
export async function askPassphrase(prompt: string): Promise<Uint8Array<ArrayBuffer>> {
  return encodePassphrase(await askSecret(prompt));
}

/** As askPassphrase, typed twice. */
export async function askNewPassphrase(context: Context): Promise<Uint8Array<ArrayBuffer>> {
  return encodePassphrase(await askNewSecret(context, 'New passphrase'));
}

/** Typed twice, until both are the same; as typed, spaces included. Throws CliError as askPassphrase does. */
export async function askNewSecret(context: Context, what: string): Promise<string> {
  for (;;) {
    const first = await askSecret(`${what}: `);
    // Refused by whoever asked.
    if (first === '') return first;
    if ((await askSecret('Once more: ')) === first) return first;
    context.complain('These were not the same.');
  }
}

/** What was typed, shown as it is typed. Throws CliError at Ctrl-C and at the end of input. */
export async function askText(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: true });
  try {
    return await readLine(reader, prompt);
  } finally {
    reader.close();
  }
}

async function askSecret(prompt: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: nowhere(), terminal: true });
  // Only now: the reader has told the terminal to show nothing of what is typed.
  process.stderr.write(prompt);
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
}

/** Ctrl-C and the end of input are no answers. */
function readLine(reader: Interface, prompt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    reader.once('line', resolve);
    reader.once('SIGINT', () => reject(new CliError(EXIT.interrupted, 'stopped; nothing was done')));
    reader.once('close', () => reject(new CliError(EXIT.failed, 'no answer; nothing was done')));
    reader.setPrompt(prompt);
    reader.prompt();
  });
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function encodePassphrase(passphrase: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ passphrase }));
}
