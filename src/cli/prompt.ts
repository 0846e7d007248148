/** Asking a person on the terminal. Loaded only by what has to ask; a secret that is typed is not shown. */
import { read } from 'read';
import type { Context } from './context.ts';
import { CliError, EXIT } from './failure.ts';

/** A request body `{"passphrase": …}` of what was typed. Throws CliError at the end of input. */
export async function askPassphrase(prompt: string): Promise<Uint8Array<ArrayBuffer>> {
  return encodePassphrase(await ask(prompt, true));
}

/** As askPassphrase, typed twice. */
export async function askNewPassphrase(context: Context): Promise<Uint8Array<ArrayBuffer>> {
  return encodePassphrase(await askNewSecret(context, 'New passphrase'));
}

/** Typed twice, until both are the same. Throws CliError at the end of input. */
export async function askNewSecret(context: Context, what: string): Promise<string> {
  for (;;) {
    const first = await ask(`${what}: `, true);
    if ((await ask('Once more: ', true)) === first) return first;
    context.complain('These were not the same.');
  }
}

/** What was typed, shown as it is typed. Throws CliError at the end of input. */
export function askText(prompt: string): Promise<string> {
  return ask(prompt, false);
}

async function ask(prompt: string, silent: boolean): Promise<string> {
  try {
    return await read({ prompt, silent, input: process.stdin, output: process.stderr });
  } catch {
    // Ctrl-C, or the end of input: neither is an answer.
    throw new CliError(EXIT.failed, 'stopped; nothing was done');
  } finally {
    if (silent) process.stderr.write('\n');
  }
}

function encodePassphrase(passphrase: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ passphrase }));
}
