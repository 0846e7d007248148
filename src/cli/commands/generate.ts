/** `mav generate`: prints a new password or passphrase and nothing else, and stores it where a name is given. */
import type { Client } from '../../client/client.ts';
import type { Conditions, Generated, GenerateOptions } from '../../client/types.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { parseMetadata } from '../input/metadata.ts';
import { isReference, readReference } from '../input/name-reference.ts';
import { readWhole } from '../input/numbers.ts';
import { readTerms, TERM_OPTIONS } from '../input/terms.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, isPreconditionFailed, usageError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { withVault } from '../vault/access.ts';
import { readKept } from '../vault/kept.ts';
import { describeNewest } from '../vault/way-back.ts';

const MAX_LENGTH = 4_096;
const MAX_WORDS = 64;
const DEFAULT_WORDS = 6;

const SETS = ['uppercase', 'lowercase', 'digits', 'symbols'] as const;

export const run: Run = async (input) => {
  const wanted = { ...readKind(input), ...readPlace(input) };
  const hand = await chooseWay(input);
  input.context.requireOutput();
  const { generated, stored } = await generatePassword(input, wanted);
  await hand(generated);
  if (stored !== null) input.context.say(stored);
  input.context.say(`${generated.entropy_bits} bits of entropy.`);
  return EXIT.done;
};

function readKind(input: Input): GenerateOptions {
  return input.flag('passphrase') ? readPassphrase(input) : readCharacters(input);
}

function readPassphrase(input: Input): GenerateOptions {
  const foreign = ['length', ...SETS.map((set) => `no-${set}`)].find((option) => input.flag(option));
  if (foreign !== undefined)
    throw usageError(`--${foreign} is about characters; it does not go with --passphrase`);
  const delimiter = input.text('delimiter');
  return {
    words: readWhole(input, 'words', 1, MAX_WORDS) ?? DEFAULT_WORDS,
    ...(delimiter === undefined ? {} : { delimiter }),
  };
}

function readCharacters(input: Input): GenerateOptions {
  const foreign = ['words', 'delimiter'].find((option) => input.flag(option));
  if (foreign !== undefined) throw usageError(`--${foreign} needs --passphrase beside it`);
  const sets = SETS.filter((set) => !input.flag(`no-${set}`));
  if (sets.length === 0) throw usageError('every kind of character is ruled out; leave one --no-… away');
  const length = readWhole(input, 'length', sets.length, MAX_LENGTH);
  return {
    ...(length === undefined ? {} : { length }),
    ...Object.fromEntries(SETS.map((set) => [set, sets.includes(set)])),
  };
}

function readPlace(input: Input): GenerateOptions {
  const typed = input.text('name');
  if (typed === undefined) {
    const foreign = ['env', 'metadata', ...TERM_OPTIONS, 'force'].find((option) => input.flag(option));
    if (foreign !== undefined) throw usageError(`--${foreign} needs --name beside it`);
    return {};
  }
  const metadata = input.flag('metadata') ? { metadata: parseMetadata(input.list('metadata')) } : {};
  const more = { ...metadata, ...readTerms(input) };
  if (!isReference(typed)) return { name: typed, environment: input.environment, ...more };
  const { name, environment, field } = readReference(typed, { env: input.text('env'), field: undefined });
  if (field !== undefined) throw usageError('a password is stored as a whole secret; leave #… out');
  return { name, environment, ...more };
}

/** What was made, and what to say of where it is stored; null if it is not. */
interface Made {
  readonly generated: Generated;
  readonly stored: string | null;
}

/** A secret of that name whose value would be lost is not replaced without asking, even if it was made a moment ago. */
async function generatePassword(input: Input, wanted: GenerateOptions): Promise<Made> {
  const { name } = wanted;
  const make = async (client: Client, conditions: Conditions = {}) => {
    const generated = await client.generate(wanted, conditions);
    return { generated, stored: await describeStored(input, client, wanted) };
  };
  const isFree = name === undefined || input.flag('force');
  const made = await withVault(input, (client) => (isFree ? make(client) : makeOrAsk(client, make)));
  if (made !== null) return made;
  await confirm(input, `Replace ${describeSecret(name ?? '', wanted.environment)}?`);
  return withVault(input, (client) => make(client));
}

/** Returns null if the user must be asked: there is such a secret, and what it is would not be kept. */
async function makeOrAsk(
  client: Client,
  make: (client: Client, conditions?: Conditions) => Promise<Made>,
): Promise<Made | null> {
  try {
    return await make(client, { ifNoneMatch: '*' });
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
  }
  return (await readKept(client))?.hasOldVersions ? make(client) : null;
}

async function describeStored(
  input: Input,
  client: Client,
  { name, environment }: GenerateOptions,
): Promise<string | null> {
  if (name === undefined) return null;
  const way = await describeNewest(input, client, { name, environment });
  return `Stored ${describeSecret(name, environment)}${way === null ? '' : `, ${way}`}.`;
}

/** Returns what hands out the password. Throws CliError, before anything is stored, if the clipboard cannot be used. */
async function chooseWay(input: Input): Promise<(generated: Generated) => void | Promise<void>> {
  const { flag } = input;
  if (!flag('clip')) {
    if (flag('clear')) throw usageError('--clear goes with --clip');
    return (generated) => printPassword(input, generated);
  }
  if (flag('output')) throw usageError('--clip copies the password; it does not go with --output');
  const { prepareCopy } = await import('../clipboard/copy-secret.ts');
  const copy = prepareCopy(input);
  return ({ password }) =>
    copy(Buffer.from(password), flag('passphrase') ? 'the passphrase' : 'the password');
}

function printPassword({ context, output }: Input, generated: Generated): void {
  if (output === 'json') context.printJson(JSON.stringify(generated));
  else if (context.isOutputTerminal) context.print(generated.password);
  else context.write(Buffer.from(generated.password));
}
