/** Whole entries of the vault, page by page: no more than a page of them is in memory at a time. */
import { type Client, findCursor } from '../../client/client.ts';
import type { EncodedValue, Secret, UnreadableSecret } from '../../client/types.ts';

/** Yields each page as the API returns it, a JSON array. `environment`: undefined for all. */
export async function* readPages(client: Client, environment: string | undefined): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const incoming = await client.request('secrets.export', { params: { env: environment, cursor } });
    cursor = findCursor(incoming) ?? undefined;
    const { buffer, byteOffset, length } = incoming.body;
    yield Buffer.from(buffer, byteOffset, length).toString();
  } while (cursor !== undefined);
}

export async function* readEntries(
  client: Client,
  environment: string | undefined,
): AsyncGenerator<Secret | UnreadableSecret> {
  for await (const page of readPages(client, environment)) yield* JSON.parse(page);
}

export function isReadable(entry: Secret | UnreadableSecret): entry is Secret {
  return !('code' in entry);
}

/** The bytes of a value as JSON has it. */
export function decodeValue(value: EncodedValue): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.value, value.encoding);
}
