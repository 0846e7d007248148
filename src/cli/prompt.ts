/** Asking a person on the terminal. Loaded only by what has to ask; what is typed is not shown. */
import { read } from 'read';
import type { Context } from './context.ts';
import { CliError, EXIT } from './failure.ts';

/** A request body `{"passphrase": …}` of what was typed. Throws CliError at the end of input. */
export async function askPassphrase(prompt: string): Promise<Uint8Array<ArrayBuffer>> {
  return encodePassphrase(await askHidden(prompt));
}

/** As askPassphrase, typed twice. */
export async function askNewPassphrase(context: Context): Promise<Uint8Array<ArrayBuffer>> {
  for (;;) {
    const first = await askHidden('New passphrase: ');
    if ((await askHidden('Once more: ')) === first) return encodePassphrase(first);
    context.say('These were not the same.');
  }
}

async function askHidden(prompt: string): Promise<string> {
  try {
    return await read({ prompt, silent: true, input: process.stdin, output: process.stderr });
  } catch {
    throw new CliError(EXIT.failed, 'stopped');
  } finally {
    process.stderr.write('\n');
  }
}

function encodePassphrase(passphrase: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ passphrase }));
}
