/**
 * How large one entry may be. It is bounded when it is written, so that all that can be stored can also be read,
 * exported and imported again. Holds no secret: lengths only.
 */
import { PAYLOAD_OVERHEAD } from '../envelope/payload.ts';
import type { EntryLimits } from '../messages.ts';
import { quoteName, RequestError } from '../request-error.ts';
import type { WritableVault } from '../vault.ts';

/** The most bytes of metadata, which a PATCH can bring too: taking it apart takes many times that. */
const MAX_METADATA_BYTES = 1_048_576;

/** What gave the entry its size, as the API calls it. */
type Member = 'value' | 'fields' | 'metadata';

/** After a write, inside of its transaction. Throws RequestError `too_large`, and nothing of the write is to stay. */
export function checkEntrySize(vault: WritableVault, secretId: number, member: Member): void {
  const { fields, values, bytes } = vault.secrets.measure(secretId);
  checkSize(vault, { fields, bytes: bytes - values * PAYLOAD_OVERHEAD }, member);
}

/** Throws RequestError `too_large`. `text`: as it is stored. */
export function checkMetadata({ text }: { readonly text: string }): void {
  if (Buffer.byteLength(text) > MAX_METADATA_BYTES)
    throw tooLarge(`"metadata": an entry has at most ${MAX_METADATA_BYTES} bytes of it`, 'metadata');
}

/** Throws RequestError `too_large`. */
export function checkSize({ limits }: WritableVault, { fields, bytes }: EntryLimits, member: Member): void {
  if (fields > limits.fields)
    throw tooLarge(`${quoteName(member)}: an entry has at most ${limits.fields} fields`, member);
  if (bytes > limits.bytes)
    throw tooLarge(
      `${quoteName(member)}: an entry has at most ${limits.bytes} bytes, its value, fields and metadata together`,
      member,
    );
}

function tooLarge(message: string, member: Member): RequestError {
  return new RequestError('too_large', message, undefined, member);
}
