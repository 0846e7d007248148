/** References to what is stored, as env files and templates hold them: `mav://ENV/NAME#FIELD`, each part percent-encoded. */

import type { Reference } from '../run/command.ts';

export const SCHEME = 'mav://';
/** Matches capitals too: such a text is not a reference, but was meant as one. */
export const SCHEME_ANYWHERE = /mav:\/\//i;

/** The first `/` ends the environment and the first `#` the name; a name's own `/` need not be encoded. */
const PARTS = /^mav:\/\/([^/#]*)\/([^#]+)(?:#(.+))?$/s;

/** Returns null if the reference is malformed. */
export function parseReference(text: string): Reference | null {
  const parts = PARTS.exec(text)?.slice(1);
  if (parts === undefined) return null;
  const [environment = null, name = null, field] = parts.map(decodePart);
  if (environment === null || name === null || field === null) return null;
  return { environment, name, ...(field === undefined ? {} : { field }) };
}

/** Returns null if the part is not percent-encoded UTF-8, or not a name. */
function decodePart(part: string | undefined): string | null | undefined {
  if (part === undefined) return undefined;
  try {
    const text = decodeURIComponent(part);
    // No name may have one of these (C0, DEL and C1). Not a constant: every command would ask for Unicode's table of them.
    return /\p{Cc}/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** As it would be written; for messages, and as a key. */
export function formatReference({ environment, name, field }: Reference): string {
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%2F', '/');
  return `${SCHEME}${encodeURIComponent(environment)}/${encode(name)}${field === undefined ? '' : `#${encode(field)}`}`;
}
