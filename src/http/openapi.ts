/** The OpenAPI document: made when the program is built. */
import { readFile } from 'node:fs/promises';

/** Found through the folder's name, because the daemon's bundle lies in the folder beside it. */
const DOCUMENT = new URL('../http/openapi.json', import.meta.url);

let loaded: Uint8Array<ArrayBuffer> | null = null;

/** Loads the document now, for a daemon, whose program may be replaced while it runs. */
export async function loadOpenApi(): Promise<void> {
  loaded = await readOpenApi();
}

export async function readOpenApi(): Promise<Uint8Array<ArrayBuffer>> {
  // A copy each time, because the sender of a body zeroes it.
  return new Uint8Array(loaded ?? (await readFile(DOCUMENT)));
}
