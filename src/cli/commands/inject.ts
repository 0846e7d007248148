/** `mav inject`: puts secrets into the places of a template that refer to them. */
import { statSync } from 'node:fs';
import { withVault } from '../access.ts';
import type { Input, Run } from '../command.ts';
import { EXIT, usageError } from '../failure.ts';
import { fetchReferred } from '../fetch.ts';
import { readInputFile, readStandardInput } from '../input-file.ts';
import { checkReplaceable, writePrivateFile } from '../output-file.ts';
import { fillSlots, findSlots, type Slot } from '../template.ts';

const STANDARD = '-';

export const run: Run = async (input) => {
  const from = input.text('in') ?? STANDARD;
  const to = input.text('output') ?? STANDARD;
  checkTarget(from, to);
  const template = await readTemplate(input, from);
  const what = from === STANDARD ? 'the template' : from;
  const slots = findSlots(template, what);
  const filled = fillSlots(template, slots, await fetchValues(input, slots, what));
  if (to === STANDARD) input.context.write(filled);
  else writePrivateFile(to, filled);
  return EXIT.done;
};

/** Before anything is asked of the vault. Throws CliError. */
function checkTarget(from: string, to: string): void {
  if (to === '') throw usageError('--output needs the path of a file');
  if (to === STANDARD) return;
  checkReplaceable(to);
  const [one, other] = [from, to].map((path) => statSync(path, { throwIfNoEntry: false }));
  if (from !== STANDARD && one && other && one.dev === other.dev && one.ino === other.ino)
    throw usageError('the output would take the place of the template; give it another name');
}

async function readTemplate({ context, flag }: Input, path: string): Promise<Buffer> {
  if (path !== STANDARD) return readInputFile(path);
  if (context.isInputTerminal && !flag('in'))
    throw usageError('give a template with -i FILE, or on standard input');
  return (await readStandardInput(Number.POSITIVE_INFINITY)) ?? Buffer.alloc(0);
}

/** One for each slot. Throws CliError, which names all that is missing. */
async function fetchValues(input: Input, slots: readonly Slot[], what: string): Promise<Uint8Array[]> {
  if (slots.length === 0) return [];
  const references = slots.map(({ reference }) => reference);
  const places = slots.map(({ line }) => `line ${line}`);
  return withVault(input, (client) => fetchReferred(input, client, references, places, `${what}: `));
}
