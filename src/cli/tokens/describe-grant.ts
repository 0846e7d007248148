/** Says in words what a token may do. */
import type { Confirmation, TokenLimits } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { formatTime } from '../../text/format-time.ts';

/** Returns one line for each set of limits; all of them hold. */
export function describeLimits(limits: readonly TokenLimits[]): string[] {
  return limits.map(({ environments, names, fields }) =>
    [
      ...(environments === undefined ? [] : [`environments ${quoteAll(environments)}`]),
      ...(names === undefined ? [] : [`names ${quoteAll(names)}`]),
      ...(fields === undefined ? [] : [`fields ${fields.map(showField).join(', ')}`]),
    ].join('; '),
  );
}

/** The empty text is the default environment. */
function quoteAll(texts: readonly string[]): string {
  return texts.map((text) => (text === '' ? '""' : escapeControls(text))).join(', ');
}

function showField(glob: string): string {
  return glob === '' ? 'the value itself' : escapeControls(glob);
}

/** Returns how often the owner is asked; null for never. */
export function describeConfirm(confirm: Confirmation): string | null {
  if (confirm === 'never') return null;
  return confirm === 'always' ? 'each time' : 'once for a program, until the vault is sealed,';
}

export function describeExpiry(expiresAt: string | null): string {
  return expiresAt === null ? 'without expiry' : `valid until ${formatTime(expiresAt)}`;
}
