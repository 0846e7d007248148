/** The handler that gives a secret another name or environment. What it was stays among its versions, under the old name. */

import { getSecretName } from '../bodies/parameters.ts';
import type { BodyHandler } from '../calls.ts';
import { getForWrite } from '../entries/entries.ts';
import { keepFields, keepVersion } from '../entries/history.ts';
import { storeAgain } from '../entries/store-again.ts';
import { RequestError } from '../errors/request-error.ts';
import { writeStatus } from '../json/status.ts';
import type { SecretName } from '../messages.ts';

export const renameSecret: BodyHandler<'secrets.rename'> = (vault, call, reply, request) => {
  const from = getSecretName(call);
  const target: SecretName = { name: request.name, environment: request.environment ?? from.environment };
  if (target.name === from.name && target.environment === from.environment) {
    throw new RequestError('bad_request', 'the secret has this name in this environment already');
  }
  const row = getForWrite(vault, call, from);
  if (vault.secrets.find(target) !== null) {
    throw new RequestError('conflict', 'there is a secret of the new name in that environment');
  }
  const entry = { ...row, fields: vault.secrets.listFields(row.id) };
  const revision = row.revision + 1;
  keepVersion(vault, entry, true);
  keepFields(vault, row.id, revision);
  vault.writer.rename(row.id, target);
  vault.noteChange(from, revision, 'rename');
  const kept = { id: row.id, confirm: row.confirm, revision };
  storeAgain(vault, entry, { ...target, ...kept, hasFieldsOfToday: true, isNew: false });
  writeStatus('renamed', { ...target, version: revision }, reply);
};
