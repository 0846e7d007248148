/** The OpenAPI document: made when the program is built. */
import { readFile } from 'node:fs/promises';

/** Found through the folder's name, because the daemon's bundle lies in the folder beside it. */
const DOCUMENT = new URL('../http/openapi.json', import.meta.url);

let loaded: string | null = null;

/** Loads the document now, for a daemon, whose program may be replaced while it runs. */
export async function loadOpenApi(): Promise<void> {
  loaded = await readOpenApi();
}

export async function readOpenApi(): Promise<string> {
  return loaded ?? (await readFile(DOCUMENT, 'utf8'));
}
