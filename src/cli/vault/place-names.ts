/** Where secrets are, and how messages name environments and what is in them. */
import type { Client } from '../../client/client.ts';
import type { Place } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { findClose } from '../usage/close-word.ts';

const PAGE_LIMIT = 1_000;
/** More names than this are not looked through for one that is close. */
const MAX_PAGES = 50;
/** How many environments or fields a message names. */
const MAX_NAMED = 8;
/** How many characters of each of them. */
const MAX_SHOWN = 64;

/** Returns null if the token may not list, or the vault cannot. */
export async function listPlaces(client: Client): Promise<Place[] | null> {
  const places: Place[] = [];
  try {
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page++) {
      const next = cursor === null ? {} : { cursor };
      const answered: Awaited<ReturnType<Client['listSecrets']>> = await client.listSecrets({
        limit: PAGE_LIMIT,
        ...next,
      });
      places.push(...answered.items.map(({ name, environment }) => ({ name, environment })));
      ({ cursor } = answered);
      if (cursor === null) break;
    }
    return places;
  } catch {
    return null;
  }
}

/** Whether two texts look alike but differ: the same characters, composed (NFC) or not (NFD). */
export function isTwin(one: string, other: string): boolean {
  return one !== other && one.normalize('NFC') === other.normalize('NFC');
}

/** Puts the environment first that `here` was most likely meant to be, because a long list is cut. */
export function listEnvironments(environments: readonly string[], here: string): string {
  const close = findCloseEnvironment(here, environments);
  const first = close === null ? [] : [close];
  const others = [...first, ...environments.filter((one) => one !== close)];
  return listTexts(others.map((one) => nameEnvironment(one, here)));
}

/** Returns the environment that was most likely meant; null if none is close. */
export function findCloseEnvironment(environment: string, others: readonly string[]): string | null {
  if (environment === '') return null;
  return others.find((other) => isTwin(other, environment)) ?? findClose(environment, others);
}

export function nameEnvironment(environment: string, here: string): string {
  if (environment === '') return 'the default environment';
  // An environment with this name is not the default environment.
  if (environment === 'default') return 'the environment "default"';
  return isTwin(environment, here) ? escapeForm(environment) : showName(environment);
}

export function describeEnvironment(environment: string): string {
  return environment === '' ? 'the default environment' : `environment ${quoteName(environment)}`;
}

const PLAIN = /^[\w@%+=:,./-]+$/;

export function showName(text: string): string {
  return PLAIN.test(text) ? cutName(text) : quoteName(cutName(text));
}

export function quoteName(text: string): string {
  return `"${escapeControls(text)}"`;
}

/** Shortens a name in a list: the longest names are longer than the rest of the message. */
function cutName(text: string): string {
  const characters = [...text.slice(0, 2 * MAX_SHOWN)];
  return characters.length > MAX_SHOWN ? `${characters.slice(0, MAX_SHOWN - 1).join('')}…` : text;
}

/** Writes all that is not ASCII as numbers, so that texts which look alike can be told apart. */
export function escapeForm(text: string): string {
  const escaped = text.replaceAll(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return `"${escaped}"`;
}

export function listTexts(texts: readonly string[]): string {
  const named = texts.slice(0, MAX_NAMED);
  const more = texts.length - named.length;
  if (more > 0) return `${named.join(', ')} and ${more} more`;
  const last = named.length > 1 ? ` and ${named.at(-1)}` : named[0];
  return `${named.slice(0, -1).join(', ')}${last}`;
}
