/**
 * Checking the whole vault: SQLite's own check of the file, and whether everything in it opens. Holds one value's
 * plaintext at a time, zeroed at once (`verifyRow`).
 */

import type { Handler } from '../calls.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, secretPlace } from '../entries/places.ts';
import { verifyRow } from '../entries/row-crypto.ts';
import { describeUnreadable } from '../entries/unreadable.ts';
import { writeNames } from '../entries/write-entry.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { SecretName } from '../messages.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import { findDamageCode } from '../store/unusable.ts';
import type { Damage } from '../store/vault.ts';
import { isGenuine } from '../tokens/token-macs.ts';
import type { ReadableVault } from '../vault.ts';

/** How many entries the answer names at most, of those that do not open. */
const MAX_NAMED = 100;

interface Findings {
  /** null where nothing is wrong with the database. */
  damage: Damage | null;
  secrets: number;
  fields: number;
  tokens: number;
  /** All of them; the answer names the first ones only. */
  readonly unreadable: SecretName[];
  readonly forged: string[];
}

export const checkVault: Handler<ReadableVault> = (vault, _call, reply) => {
  const findings: Findings = { damage: null, secrets: 0, fields: 0, tokens: 0, unreadable: [], forged: [] };
  try {
    findings.damage = vault.vault.findDamage();
    checkEntries(vault, findings);
    checkTokens(vault, findings);
  } catch (error) {
    // A file so damaged that it cannot be read to its end: the counts say how far that went.
    const code = findDamageCode(error);
    if (code === null) throw error;
    findings.damage = { what: findings.damage?.what ?? `reading it ends with ${code}`, isOfFile: true };
  }
  writeFindings(findings, reply);
  const warning = describeFindings(findings);
  const { damage } = findings;
  return {
    ...(warning === '' ? {} : { warning }),
    ...(damage?.isOfFile ? { damage: damage.what } : {}),
  };
};

function checkEntries(vault: ReadableVault, findings: Findings): void {
  vault.countSteps('reading', vault.secrets.count(), (step) => {
    for (const row of vault.secrets.listRows({})) {
      const fields = vault.secrets.listFields(row.id);
      findings.secrets += 1;
      findings.fields += fields.length;
      if (fields.length !== row.fieldCount || !isReadable(vault, row, fields))
        findings.unreadable.push({ name: row.name, environment: row.environment });
      step();
    }
  });
}

/** Whether an entry opens whole, as somebody with the key stored it. */
function isReadable(vault: ReadableVault, row: SecretRow, fields: readonly FieldRow[]): boolean {
  try {
    verifyRow(vault.keyring, secretPlace(row), { ...row, fields });
    for (const field of fields) verifyRow(vault.keyring, fieldPlace(row, field.field), asBoundField(field));
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

/** A row that somebody wrote without the key is no token; the log names it. */
function checkTokens(vault: ReadableVault, findings: Findings): void {
  for (const row of vault.tokens.list()) {
    if (isGenuine(vault.keyring, row)) findings.tokens += 1;
    else findings.forged.push(row.id);
  }
}

function writeFindings({ damage, secrets, fields, tokens, unreadable }: Findings, reply: ReplyBuffer): void {
  reply.ascii('{"database":');
  reply.string(damage?.what ?? 'ok');
  reply.ascii(`,"secrets":${secrets},"fields":${fields},"tokens":${tokens},"unreadable":[`);
  for (const [index, row] of unreadable.slice(0, MAX_NAMED).entries()) {
    if (index > 0) reply.ascii(',');
    writeNames(row, reply);
    reply.ascii('}');
  }
  reply.ascii(`],"unreadable_count":${unreadable.length}}`);
}

/** For the log; empty where all is well. */
function describeFindings({ damage, unreadable, forged }: Findings): string {
  return [
    ...(damage === null ? [] : [`check: the database is damaged: ${damage.what}`]),
    ...(unreadable.length === 0 ? [] : [describeUnreadable('check', unreadable)]),
    ...(forged.length === 0 ? [] : [`check: token rows that fail verification: ${forged.join(', ')}`]),
  ].join('; ');
}
