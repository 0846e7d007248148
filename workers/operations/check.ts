/**
 * The handler that checks the whole vault: SQLite checks the file, and every row is verified with its key. Holds the
 * plaintext of one value at a time, which `verifyRow` zeroes at once.
 */

import type { Handler } from '../calls.ts';
import { asBoundField } from '../entries/fields.ts';
import { fieldPlace, secretPlace } from '../entries/places.ts';
import { verifyRow } from '../entries/row-crypto.ts';
import { describeUnreadable } from '../entries/unreadable.ts';
import { writeNames } from '../entries/write-entry.ts';
import { IntegrityError } from '../envelope/integrity.ts';
import type { BoundRow } from '../envelope/row-digest.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { SecretName } from '../messages.ts';
import type { FieldRow, SecretRow } from '../store/columns.ts';
import { findDamageCode } from '../store/unusable.ts';
import type { Damage } from '../store/vault.ts';
import { isGenuine } from '../tokens/token-macs.ts';
import type { ReadableVault } from '../vault.ts';

/** The most unreadable entries that the reply names. */
const MAX_NAMED = 100;

/** An old version, by the name that the secret had then. */
interface VersionName extends SecretName {
  readonly version: number;
}

interface Findings {
  /** Null if the database has no fault. */
  damage: Damage | null;
  secrets: number;
  fields: number;
  /** Old versions, deletions among them. */
  versions: number;
  tokens: number;
  /** All unreadable entries. The reply names only the first ones. */
  readonly unreadable: SecretName[];
  readonly unreadableVersions: VersionName[];
  readonly forged: string[];
}

export const checkVault: Handler<ReadableVault> = (vault, _call, reply) => {
  const findings: Findings = {
    ...{ damage: null, secrets: 0, fields: 0, versions: 0, tokens: 0 },
    ...{ unreadable: [], unreadableVersions: [], forged: [] },
  };
  try {
    findings.damage = vault.vault.findDamage();
    checkEntries(vault, findings);
    checkHistory(vault, findings);
    checkTokens(vault, findings);
  } catch (error) {
    // The file is too damaged to be read to its end. The counts say how far the check came.
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
      if (fields.length !== row.fieldCount || !isReadable(vault, { ...row, fields }, fields))
        findings.unreadable.push({ name: row.name, environment: row.environment });
      step();
    }
  });
}

/** Returns whether a row and these fields are as somebody with the key stored them. */
function isReadable(vault: ReadableVault, row: SecretRow & BoundRow, fields: readonly FieldRow[]): boolean {
  try {
    verifyRow(vault.keyring, secretPlace(row), row);
    for (const field of fields) verifyRow(vault.keyring, fieldPlace(row, field.field), asBoundField(field));
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}

function checkHistory(vault: ReadableVault, findings: Findings): void {
  const { history } = vault;
  for (const id of history.listIds()) {
    for (const { name, environment, revision } of history.list(id)) {
      findings.versions += 1;
      if (!isVersionReadable(vault, id, revision))
        findings.unreadableVersions.push({ name, environment, version: revision });
    }
  }
}

/** Verifies, with the version, the fields that it was the last to have. The others are checked with the versions after it. */
function isVersionReadable(vault: ReadableVault, id: number, revision: number): boolean {
  const row = vault.history.find(id, revision);
  if (row === null) return false;
  const fields = vault.history.readFieldsAt(row).listFieldHeads(id);
  if (fields.length !== row.fieldCount) return false;
  return isReadable(vault, { ...row, fields }, vault.history.listOldFields(id, revision + 1));
}

/** A row that somebody wrote without the key does not count as a token. The log names it. */
function checkTokens(vault: ReadableVault, findings: Findings): void {
  for (const row of vault.tokens.list()) {
    if (isGenuine(vault.keyring, row)) findings.tokens += 1;
    else findings.forged.push(row.id);
  }
}

function writeFindings(findings: Findings, reply: ReplyBuffer): void {
  const { damage, secrets, fields, versions, tokens, unreadable, unreadableVersions } = findings;
  reply.ascii('{"database":');
  reply.string(damage?.what ?? 'ok');
  reply.ascii(
    `,"secrets":${secrets},"fields":${fields},"versions":${versions},"tokens":${tokens},"unreadable":[`,
  );
  for (const [index, row] of unreadable.slice(0, MAX_NAMED).entries()) {
    if (index > 0) reply.ascii(',');
    writeNames(row, reply);
    reply.ascii('}');
  }
  reply.ascii(`],"unreadable_count":${unreadable.length},"unreadable_versions":`);
  reply.raw(JSON.stringify(unreadableVersions.slice(0, MAX_NAMED)));
  reply.ascii(`,"unreadable_version_count":${unreadableVersions.length}}`);
}

/** Returns a line for the log; empty if nothing is wrong. */
function describeFindings({ damage, unreadable, unreadableVersions, forged }: Findings): string {
  return [
    ...(damage === null ? [] : [`check: the database is damaged: ${damage.what}`]),
    ...(unreadable.length === 0 ? [] : [describeUnreadable('check', unreadable)]),
    ...(unreadableVersions.length === 0
      ? []
      : [`check: old versions that fail verification: ${unreadableVersions.length}`]),
    ...(forged.length === 0 ? [] : [`check: token rows that fail verification: ${forged.join(', ')}`]),
  ].join('; ');
}
