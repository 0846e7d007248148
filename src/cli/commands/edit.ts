/** `mav edit`: changes a secret that is there, by options or in an editor. */
import { isUtf8 } from 'node:buffer';
import { type Client, findTag } from '../../client/client.ts';
import type { Metadata, Secret, Stored, Terms } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { parseMetadata } from '../input/metadata.ts';
import { readTerms, TERM_OPTIONS } from '../input/terms.ts';
import { findSource, readValue, VALUE_SOURCES } from '../input/value-source.ts';
import type { Input, Run } from '../run/command.ts';
import {
  CliError,
  EXIT,
  type ExitCode,
  isPreconditionFailed,
  toCliError,
  usageError,
} from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';
import { describeWayBack } from '../vault/way-back.ts';

/** How often a change is tried if another client changes the secret at the same time. */
const MAX_TRIES = 5;

const NO_EDITOR = 'no editor can be used here; give --value, --from-file, --stdin or --metadata';
/** Options that are about a secret and not about a field of it. */
const OF_SECRET = ['metadata', 'remove-metadata', ...TERM_OPTIONS];
const NOTHING = `nothing was piped in, and ${NO_EDITOR}`;

interface Place {
  readonly name: string;
  readonly environment: string | undefined;
  readonly field: string | undefined;
  /** How messages name it. */
  readonly what: string;
}

interface MetadataChange {
  readonly set: Metadata;
  readonly remove: readonly string[];
}

/** What the options change; undefined and null for what stays. */
interface Change {
  readonly value: Uint8Array | undefined;
  readonly metadata: MetadataChange | null;
  readonly terms: Terms;
}

export const run: Run = async (input) => {
  const [name = ''] = input.args;
  const { environment } = input;
  const field = input.text('field');
  const place = { name, environment, field, what: describeSecret(name, environment, field) };
  const metadata = readMetadataChange(input);
  const terms = readTerms(input);
  const ofSecret = OF_SECRET.some((option) => input.flag(option));
  const hasSource = findSource(input, VALUE_SOURCES) !== null;
  const isPiped = !hasSource && !ofSecret && !input.context.isInputTerminal;
  if (!hasSource && !isPiped && input.flag('trim'))
    throw usageError('--trim goes with --from-file or --stdin');
  if (!hasSource && !isPiped && !ofSecret) return editValue(input, place);
  const value =
    hasSource || isPiped ? await readValue(input, { ifEmpty: isPiped ? NOTHING : undefined }) : undefined;
  const said = await withVault(input, async (client) => {
    const { version } = await (ofSecret || value === undefined
      ? changeSecret(input, client, place, { value, metadata, terms })
      : replaceValue(input, client, place, value));
    return describeChanged(input, client, place, version);
  });
  input.context.say(said);
  return EXIT.done;
};

async function describeChanged(input: Input, client: Client, place: Place, version: number): Promise<string> {
  const way = await describeWayBack(input, client, place, version);
  return `Changed ${place.what}${way === null ? '' : `, ${way}`}.`;
}

/** Returns null if no option is about metadata. Throws CliError. */
function readMetadataChange(input: Input): MetadataChange | null {
  const given = OF_SECRET.find((option) => input.flag(option));
  if (given !== undefined && input.flag('field'))
    throw usageError(`--${given} belongs to a secret, not to a field; change it without --field`);
  if (!input.flag('metadata') && !input.flag('remove-metadata')) return null;
  const change = { set: parseMetadata(input.list('metadata')), remove: input.list('remove-metadata') };
  if (change.remove.some((key) => Object.hasOwn(change.set, key)))
    throw usageError('--metadata and --remove-metadata name the same key');
  return change;
}

/** Throws CliError if the secret or field does not exist, and MaestroVaultError. */
async function replaceValue(input: Input, client: Client, place: Place, value: Uint8Array): Promise<Stored> {
  if (place.field !== undefined) return replaceField(input, client, place, value);
  try {
    return await storeValue(client, place, value, '*');
  } catch (error) {
    if (!isPreconditionFailed(error)) throw error;
    const { explainMissing } = await import('../vault/missing.ts');
    throw await explainMissing(input, client, [place]);
  }
}

function replaceField(input: Input, client: Client, place: Place, value: Uint8Array): Promise<Stored> {
  return trySeveral(async () => {
    const asked = client.request('fieldValues.get', { params: toParams(place) });
    const current = await orExplain(input, client, place, asked);
    return storeValue(client, place, value, findTag(current));
  });
}

function changeSecret(
  input: Input,
  client: Client,
  place: Place,
  { value, metadata: change, terms }: Change,
): Promise<Stored> {
  const { name, environment } = place;
  // Text as text: as base64 it is a third larger, and a request has a limit.
  const text = value !== undefined && isUtf8(value) ? Buffer.from(value).toString() : value;
  if (change === null)
    return orExplain(
      input,
      client,
      place,
      client.patchSecret(name, { value: text, ...terms }, { environment }),
    );
  return trySeveral(async () => {
    const asked = client.request('secrets.get', { params: toParams(place) });
    const current = await orExplain(input, client, place, asked);
    const metadata = await replaceMetadata(current.body, change);
    const conditions = { environment, ifMatch: findTag(current) };
    return client.patchSecret(name, { value: text, metadata, ...terms }, conditions);
  });
}

/** Returns the metadata of an entry with the change in it. Numbers stay as they were written. Throws CliError. */
async function replaceMetadata(entry: Uint8Array, { set, remove }: MetadataChange): Promise<Metadata> {
  const { parseExact } = await import('../formats/exact-json.ts');
  const { metadata: before } = parseExact(Buffer.from(entry).toString()) as Secret;
  if (remove.some((key) => !Object.hasOwn(before, key))) throw explainNoKey(Object.keys(before));
  const kept = Object.entries(before).filter(([key]) => !remove.includes(key));
  return Object.fromEntries([...kept, ...Object.entries(set)]);
}

/** Does not repeat the word that was typed: it could be a value. */
function explainNoKey(keys: readonly string[]): CliError {
  const others = keys.length === 0 ? 'no metadata' : keys.map(escapeControls).join(', ');
  return new CliError(
    EXIT.notFound,
    `--remove-metadata: there is no such key (the secret has ${others}); nothing was changed`,
  );
}

async function trySeveral<T>(change: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isPreconditionFailed(error) || attempt === MAX_TRIES) throw error;
    }
  }
}

/** The vault is closed while the editor runs, so that other commands can use it. */
async function editValue(input: Input, place: Place): Promise<ExitCode> {
  const { context } = input;
  if (!context.canAsk) throw usageError(NO_EDITOR);
  const before = await withVault(input, (client) => {
    const operation = place.field === undefined ? 'values.get' : 'fieldValues.get';
    return orExplain(input, client, place, client.request(operation, { params: toParams(place) }));
  });
  if (!isUtf8(before.body) || before.body.includes(0))
    throw new CliError(EXIT.failed, `${place.what} is no text; change it with --from-file or --stdin`);
  const { editText } = await import('../editor/editor.ts');
  const edited = await editText(context.env, before.body);
  if (edited.length === 0) throw new CliError(EXIT.failed, 'the text is empty; nothing was stored');
  if (Buffer.compare(edited, before.body) === 0) {
    context.say('Nothing was changed, and nothing was stored.');
    return EXIT.done;
  }
  context.say(await storeEdited(input, place, edited, findTag(before)));
  return EXIT.done;
}

/** Returns what to say. If the text cannot be stored, the user is asked what to do, so that their text is not lost. */
async function storeEdited(input: Input, place: Place, edited: Uint8Array, tag: string): Promise<string> {
  for (let ifMatch = tag; ; ) {
    try {
      return await withVault(input, async (client) => {
        const { version } = await storeValue(client, place, edited, ifMatch);
        return describeChanged(input, client, place, version);
      });
    } catch (error) {
      const wasOutrun = isPreconditionFailed(error);
      if (!wasOutrun) input.context.complain(`mav: ${toCliError(error).message}`);
      const question = wasOutrun
        ? `Somebody else changed or deleted ${place.what} meanwhile. Replace theirs with your text? [y/N] `
        : 'Your text is not stored. Try again? [y/N] ';
      const { askText } = await import('../terminal/prompt.ts');
      if (!/^y(es)?$/i.test((await askText(question)).trim()))
        throw new CliError(EXIT.failed, 'your text was not stored');
      if (wasOutrun) ifMatch = '';
    }
  }
}

/** `ifMatch`: empty to store in any case. */
function storeValue(client: Client, place: Place, value: Uint8Array, ifMatch: string): Promise<Stored> {
  const { name, environment, field } = place;
  const options = { environment, ...(ifMatch === '' ? {} : { ifMatch }) };
  return field === undefined
    ? client.putValue(name, value, options)
    : client.putField(name, field, value, options);
}

function toParams({ name, environment, field }: Place) {
  return { name, env: environment, field };
}
