/** What to do about each reason for which a vault cannot be used: the only table of it, for the API and the command line. */
import type { Failure, Reason } from '../workers/messages.ts';

/**
 * Who is told, because a remedy has to work for them:
 * `api`: a client of the daemon, which runs.
 * `api-key`: the same, when its request was to bring the key (unseal, rotate).
 * `session`: the command line, whose daemon runs. `key`: a command that was to bring the key itself (`mav unseal`).
 * `token`: a command that has MAV_TOKEN, with which nothing can be unsealed.
 * `own`: a command that opens the vault itself, because no daemon runs. `unasking`: one that never asks for a passphrase.
 */
export type Told = 'api' | 'api-key' | 'session' | 'key' | 'token' | 'own' | 'unasking';

/** What is wrong, and which of the reasons it is. */
export type Problem = Pick<Failure, 'message' | 'reason'>;

interface Remedy {
  /** What has to be done outside of the program; null: nothing. */
  readonly first: string | null;
  /** What helps then. */
  readonly last: 'unseal' | 'try again' | 'unseal or try again' | 'nothing';
}

const REMEDIES: Readonly<Record<Reason, Remedy>> = {
  sealed: { first: null, last: 'unseal' },
  unsealing: { first: null, last: 'try again' },
  keys_lost: { first: null, last: 'unseal or try again' },
  needs_passphrase: { first: null, last: 'unseal' },
  wrong_passphrase: { first: null, last: 'unseal' },
  passphrase_file: { first: 'put the right one there', last: 'unseal' },
  keychain_unavailable: { first: 'unlock or start it', last: 'unseal' },
  keychain_entry_missing: { first: 'restore that entry', last: 'unseal' },
  key_file_missing: { first: 'put your copy of it back', last: 'unseal' },
  key_file_unreadable: { first: 'make it a file that you can read', last: 'unseal' },
  key_file_exposed: { first: 'run chmod 400 on it', last: 'unseal' },
  key_file_foreign: { first: 'make it your own', last: 'unseal' },
  traced: { first: 'end that process', last: 'unseal' },
  wrong_key: { first: 'put the right one back', last: 'unseal' },
  key_file_inside: {
    first: 'move the vault to a folder without it, and set MAV_HOME to that',
    last: 'try again',
  },
  unknown_vault: { first: 'if it is yours, run: mav adopt', last: 'nothing' },
  other_vault: { first: 'put your own back or, if you changed it yourself, run: mav adopt', last: 'nothing' },
  unusable: { first: null, last: 'nothing' },
  destroyed: { first: null, last: 'nothing' },
  key_kept: { first: 'mend that', last: 'nothing' },
  keychain_kept: { first: 'unlock or start it', last: 'nothing' },
  later: { first: null, last: 'nothing' },
  cancelled: { first: null, last: 'nothing' },
};

/** Every reason there is, for the OpenAPI document. */
export const REASONS = Object.keys(REMEDIES);

/** How a passphrase reaches the vault where nobody can be asked for it, or was. `typing`: what lets somebody be asked. */
const GIVE_PASSPHRASE: Partial<Readonly<Record<Told, (typing: string) => string>>> = {
  'api-key': () => 'send it as {"passphrase": "…"}',
  key: (typing) => `${typing}, or give --passphrase-file FILE`,
  unasking: () => 'give --passphrase-file FILE, or start the daemon: mav serve',
  own: (typing) => `${typing}, give --passphrase-file FILE, or start the daemon: mav serve`,
};

const UNSEAL: Partial<Readonly<Record<Told, string>>> = {
  api: 'run: mav unseal',
  session: 'run: mav unseal',
  token: 'run, without MAV_TOKEN: mav unseal',
};

/** The sentence and what to do. A problem without a reason is told as it is. `typing`: what lets somebody be asked. */
export function adviseOn(
  { message, reason }: Problem,
  told: Told,
  typing = 'run this on a terminal',
): string {
  const remedy = reason === undefined ? null : findRemedy(reason, told, typing);
  return remedy === null ? message : `${message}; ${remedy}`;
}

function findRemedy(reason: Reason, told: Told, typing: string): string | null {
  if (reason === 'key_kept' || reason === 'keychain_kept') {
    const force = told === 'api' ? 'ask with "force": true' : 'give --even-if-key-stays';
    return `${REMEDIES[reason].first} and try again, or ${force}`;
  }
  const give = reason === 'needs_passphrase' ? GIVE_PASSPHRASE[told] : undefined;
  if (give !== undefined) return give(typing);
  const { first, last } = REMEDIES[reason];
  if (last === 'nothing') return first;
  const unseal = last === 'try again' ? undefined : UNSEAL[told];
  const next = unseal === undefined ? 'try again' : last === 'unseal' ? unseal : `try again, or ${unseal}`;
  return first === null ? next : `${first}, then ${next}`;
}
