/** The OpenAPI document: made when the program is built, read when somebody asks. */
import { readFile } from 'node:fs/promises';

/** By way of the folder's name: the daemon's bundle lies in the folder beside it. */
const DOCUMENT = new URL('../http/openapi.json', import.meta.url);

export async function readOpenApi(): Promise<Uint8Array<ArrayBuffer>> {
  // A copy each time: whoever sends a body zeroes it.
  return new Uint8Array(await readFile(DOCUMENT));
}
