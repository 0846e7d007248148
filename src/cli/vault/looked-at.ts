/** A secret as it is shown to its owner before it is accepted: who wrote it, when, and what is in it. */
import type { EncodedValue, Secret, Token } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';

/** How many of the owner's own fields, and of metadata keys, are named. */
const MAX_NAMED = 20;
const LABEL_WIDTH = 12;
const OWNER = 'session';
const PLAIN = /^[\w.@/-]+$/;

/** `etag`: the version that is shown, which is all that may be accepted then. */
export type LookedAt = Secret & { readonly etag: string };

interface Choice {
  /** All tokens that exist, to name the writers of entries. */
  readonly tokens: readonly Token[];
  readonly showsValues: boolean;
}

/** Several lines, without control characters. */
export function describeEntry(entry: LookedAt, { tokens, showsValues }: Choice): string {
  const nameWriter = (id: string) => describeWriter(id, tokens);
  const { name, environment, written_by: writer, updated_at: at, etag, metadata } = entry;
  const lines = [
    ['written by', `${nameWriter(writer)}, ${formatTime(at)}`],
    ['version', etag],
    ...(showsValues ? listValues(entry, nameWriter) : listNames(entry, nameWriter)),
    ...(Object.keys(metadata).length === 0 ? [] : [['metadata', nameSome(Object.keys(metadata))]]),
  ];
  const text = lines.map(
    ([label = '', words = '']) => `  ${label.padEnd(LABEL_WIDTH)}${escapeControls(words)}`,
  );
  return [describeSecret(name, environment), ...text].join('\n');
}

function describeWriter(id: string, tokens: readonly Token[]): string {
  if (id === OWNER) return 'you, but not all of it is yours';
  const token = tokens.find((one) => one.id === id);
  return token === undefined
    ? `the token ${id}, which is gone`
    : `the token ${id} (${JSON.stringify(token.name)})`;
}

type NameWriter = (id: string) => string;

function listNames(entry: LookedAt, nameWriter: NameWriter): string[][] {
  const { value, fields = {}, unaccepted_fields: unaccepted = {} } = entry;
  const own = Object.keys(fields).filter((field) => !Object.hasOwn(unaccepted, field));
  return [
    ...(value === undefined ? [] : [['value', 'one of its own; --reveal shows it']]),
    // All of them, however many: they are what is accepted.
    ...Object.entries(unaccepted).map(([field, writer]) => [
      'field',
      `${quoteFieldName(field)} (${describeNew(writer, nameWriter)})`,
    ]),
    ...(own.length === 0 ? [] : [[Object.keys(unaccepted).length === 0 ? 'fields' : 'yours', nameSome(own)]]),
  ];
}

function describeNew(writer: string, nameWriter: NameWriter): string {
  return `new or changed, by ${nameWriter(writer)}`;
}

function listValues(entry: LookedAt, nameWriter: NameWriter): string[][] {
  const { value, encoding, fields = {}, unaccepted_fields: unaccepted = {} } = entry;
  const own =
    value === undefined ? [] : [['value', showValue(encoding === undefined ? value : { value, encoding })]];
  const others = Object.entries(fields).map(([field, encoded]) => {
    const writer = Object.hasOwn(unaccepted, field) ? unaccepted[field] : undefined;
    const whose = writer === undefined ? '' : ` (${describeNew(writer, nameWriter)})`;
    return ['field', `${quoteFieldName(field)}${whose}: ${showValue(encoded)}`];
  });
  return [...own, ...others];
}

function showValue(encoded: EncodedValue): string {
  return typeof encoded === 'string' ? encoded : `${encoded.value} (base64 of what is no text)`;
}

/** A name that could be taken for several, or for words of ours, in quotes. */
function quoteFieldName(name: string): string {
  return PLAIN.test(name) ? name : JSON.stringify(name);
}

function nameSome(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).map(quoteFieldName).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
