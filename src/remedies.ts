/**
 * What to do about each reason for which a vault cannot be used. The table is the same for the API and the command line;
 * each says in a Reader how its own reader does such a thing (cli/vault/readers.ts).
 */
import type { Failure, Reason } from '../workers/messages.ts';
import { nameVault } from './text/name-vault.ts';

/** How somebody who reads a remedy can do what it says. */
export interface Reader {
  /** How to unseal the vault; null if the same request does it, or nothing can. */
  readonly unseal: string | null;
  /** How to give a passphrase where the vault needs one; null: by unsealing it. */
  readonly givePassphrase: string | null;
  /** How to destroy a vault whose key stays in its store. */
  readonly force: string;
}

const FORCE = 'ask with "force": true';
/** A client of the API. */
export const API: Reader = { unseal: 'run: mav unseal', givePassphrase: null, force: FORCE };
/** A client of the API whose request was to bring the vault's key: one that unseals or rotates. */
export const API_WITH_KEY: Reader = {
  unseal: null,
  givePassphrase: 'send it as {"passphrase": "…"}',
  force: FORCE,
};

/** What is wrong, and which of the reasons it is. */
export type Problem = Pick<Failure, 'message' | 'reason'>;

interface Remedy {
  /** What has to be done outside of the program; null if nothing has. */
  readonly first: string | null;
  /** What to do after that. */
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
  keychain_entry_missing: {
    first: 'restore that entry, or run mav recover with the recovery code',
    last: 'unseal',
  },
  key_file_missing: { first: 'put your copy of it back', last: 'unseal' },
  key_file_unreadable: { first: 'make it a file that you can read', last: 'unseal' },
  key_folder: { first: null, last: 'nothing' },
  key_file_exposed: { first: 'run chmod 400 on it', last: 'unseal' },
  key_file_foreign: { first: 'make it your own', last: 'unseal' },
  traced: { first: 'end that process', last: 'unseal' },
  unsupported: { first: null, last: 'nothing' },
  wrong_key: { first: 'put the right one back', last: 'unseal' },
  key_file_inside: {
    first: 'move the vault to a folder without it, and set MAV_HOME to that',
    last: 'try again',
  },
  unknown_vault: { first: 'if it is yours, run: mav adopt', last: 'nothing' },
  other_vault: { first: 'put your own back or, if you changed it yourself, run: mav adopt', last: 'nothing' },
  restored: {
    first: 'put the newer one back or, if you restored it yourself, run: mav accept-restore',
    last: 'nothing',
  },
  unusable: { first: null, last: 'nothing' },
  destroyed: { first: null, last: 'nothing' },
  key_kept: { first: 'mend that', last: 'nothing' },
  keychain_kept: { first: 'unlock or start it', last: 'nothing' },
  audit_log: {
    first:
      'make room on the disk, and look at the folder audit beside vault.db; config.json can say "audit": "best-effort"',
    last: 'nothing',
  },
  needs_approval: { first: null, last: 'nothing' },
  denied: { first: null, last: 'nothing' },
  not_answered: { first: 'run mav approvals to be asked', last: 'try again' },
  nobody_asked: { first: 'run it on a terminal, or beside mav serve', last: 'nothing' },
  later: { first: null, last: 'nothing' },
  cancelled: { first: null, last: 'nothing' },
};

/** Every reason there is, for the OpenAPI document. */
export const REASONS = Object.keys(REMEDIES);

/** The sentence and what to do. A problem without a reason is told as it is. */
export function adviseOn({ message, reason }: Problem, reader: Reader): string {
  const remedy = reason === undefined ? null : findRemedy(reason, reader);
  return nameVault(remedy === null ? message : `${message}; ${remedy}`);
}

function findRemedy(reason: Reason, { unseal, givePassphrase, force }: Reader): string | null {
  const { first, last } = REMEDIES[reason];
  if (reason === 'key_kept' || reason === 'keychain_kept') return `${first} and try again, or ${force}`;
  if (reason === 'needs_passphrase' && givePassphrase !== null) return givePassphrase;
  if (last === 'nothing') return first;
  const canUnseal = unseal !== null && last !== 'try again';
  const next = !canUnseal ? 'try again' : last === 'unseal' ? unseal : `try again, or ${unseal}`;
  return first === null ? next : `${first}, then ${next}`;
}
