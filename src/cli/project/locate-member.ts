/** Finds the line of a member in a TOML file, for messages. The parser says where a file is malformed, and not where a member is. */

const HEADER = /^\s*\[\[?([^\]]+)\]/;
const KEY = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=/;
const KEY_PART = /"([^"]*)"|'([^']*)'|[\w-]+/g;

/**
 * Returns the line, from 1, in which the member, or the nearest part of its path, is named; null if none is. A line of a text that
 * spans several ones could be taken for it: then the number is wrong, and the message still names the member.
 */
export function locateMember(toml: string, path: readonly string[]): number | null {
  let best: { readonly length: number; readonly line: number } | null = null;
  let table: readonly string[] = [];
  for (const [index, text] of toml.split('\n').entries()) {
    const header = HEADER.exec(text)?.[1];
    if (header !== undefined) table = splitKey(header);
    const key = header === undefined ? KEY.exec(text)?.[1] : '';
    if (key === undefined) continue;
    const named = [...table, ...splitKey(key)];
    const isOnTheWay = named.length <= path.length && named.every((part, at) => part === path[at]);
    if (isOnTheWay && named.length > (best?.length ?? 0)) best = { length: named.length, line: index + 1 };
  }
  return best?.line ?? null;
}

function splitKey(key: string): string[] {
  return [...key.matchAll(KEY_PART)].map(([whole, double, single]) => double ?? single ?? whole);
}
