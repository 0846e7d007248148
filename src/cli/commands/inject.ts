/** `mav inject`: puts secrets into the places of a template that refer to them. */

import { readInputFile, readStandardInput } from '../input/input-file.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';
import { checkReplaceable, isSameFile, writePrivateFile } from '../transfer/output-file.ts';
import { SpecialOutput } from '../transfer/special-output.ts';
import { checkEncoding, fillSlots, findSlots, type Slot } from '../variables/template.ts';
import { withVault } from '../vault/access.ts';
import { fetchReferred } from '../vault/fetch-secrets.ts';

const STANDARD = '-';

export const run: Run = async (input) => {
  const from = input.text('in') ?? STANDARD;
  const to = input.text('output') ?? STANDARD;
  const special = findTarget(from, to);
  const template = await readTemplate(input, from);
  const what = from === STANDARD ? 'the template' : from;
  checkEncoding(template, what);
  const slots = findSlots(template, what);
  const isShown = to === STANDARD ? input.context.isOutputTerminal : special?.isTerminal === true;
  if (isShown && slots.length > 0 && !input.flag('reveal'))
    throw usageError('this would show secrets on the screen; give -o FILE, a pipe, or --reveal');
  const filled = fillSlots(template, slots, await fetchValues(input, slots, what));
  if (to === STANDARD) input.context.write(filled);
  else if (special !== null) special.writeAll(filled);
  else writePrivateFile(to, filled);
  return EXIT.done;
};

/** Before anything is asked of the vault. null: standard output, or a file that can be replaced. Throws CliError. */
function findTarget(from: string, to: string): SpecialOutput | null {
  if (to === '') throw usageError('--output needs the path of a file');
  if (to === STANDARD) return null;
  const special = SpecialOutput.find(to);
  if (special !== null) return special;
  checkReplaceable(to);
  if (from !== STANDARD && isSameFile(from, to))
    throw usageError('the output would take the place of the template; give it another name');
  return null;
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
