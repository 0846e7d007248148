/**
 * The operations of the writer, with the handler of each and what it does to versions. A parsed body may hold plaintext, and is
 * zeroed when its handler returns.
 */
import { loadBodies } from './bodies/load.ts';
import type { BodyHandler, Handler } from './calls.ts';
import type { Batch, Change, WriteOperation } from './messages.ts';
import type { WritableVault } from './open-vault.ts';
import { acceptSecret } from './operations/accept.ts';
import { deleteField, putField, putFields } from './operations/fields.ts';
import { importSecrets } from './operations/import.ts';
import { generatePassword } from './operations/passwords.ts';
import { renameSecret } from './operations/rename.ts';
import { deleteSecret, patchSecret, putSecret } from './operations/secrets.ts';
import { createToken, reserveUses, revokeToken, rotateToken, touchTokens } from './operations/tokens.ts';
import { putFieldValue, putValue } from './operations/values.ts';
import { purgeSecret, restoreSecret, rollbackSecret } from './operations/versions.ts';

/** Operations without a body, or with the bytes of a value as their body. */
const plainOperations = {
  'secrets.accept': acceptSecret,
  'secrets.delete': deleteSecret,
  'secrets.restore': restoreSecret,
  'secrets.purge': purgeSecret,
  'fields.delete': deleteField,
  'values.put': putValue,
  'fieldValues.put': putFieldValue,
  'tokens.revoke': revokeToken,
  'tokens.touch': touchTokens,
  'tokens.reserve': reserveUses,
} satisfies Partial<Record<WriteOperation, Handler<WritableVault>>>;

type ParsedOperation = Exclude<WriteOperation, keyof typeof plainOperations>;

/** Operations with a JSON body. */
const parsedOperations: { [Name in ParsedOperation]: BodyHandler<Name> } = {
  'secrets.put': putSecret,
  'secrets.patch': patchSecret,
  'secrets.rename': renameSecret,
  'secrets.import': importSecrets,
  'secrets.rollback': rollbackSecret,
  'fields.put': putField,
  'fields.putMany': putFields,
  'passwords.generate': generatePassword,
  'tokens.create': createToken,
  'tokens.rotate': rotateToken,
};

/** The handlers of a batch: every operation, or those that need no schemas where the batch has no others. */
export type WriteHandlers = Partial<Operations>;

type Operations = Readonly<Record<WriteOperation, Handler<WritableVault>>>;

/** Every operation; made once. */
let allOperations: Operations | null = null;

/** Loads the schemas of bodies only for a batch that has a JSON body. */
export async function loadHandlers(batch: Batch): Promise<WriteHandlers> {
  if (!batch.some(({ operation }) => Object.hasOwn(parsedOperations, operation))) return plainOperations;
  if (allOperations !== null) return allOperations;
  const bodies = await loadBodies();
  const names = Object.keys(parsedOperations) as ParsedOperation[];
  const parsed = Object.fromEntries(names.map((name) => [name, withBody(bodies, name)]));
  allOperations = { ...plainOperations, ...(parsed as Pick<Operations, ParsedOperation>) };
  return allOperations;
}

function withBody<Name extends ParsedOperation>(
  bodies: typeof import('./bodies/schemas.ts'),
  name: Name,
): Handler<WritableVault> {
  const handler: BodyHandler<Name> = parsedOperations[name];
  return (open, call, reply) => {
    const request = bodies.parseRequest(name, call.body);
    try {
      return handler(open, call, reply, request);
    } finally {
      bodies.wipeRequest(request);
    }
  };
}

/** Whether a call of the operation mostly stores one value, which takes one version. */
export const TAKES_ONE_VERSION: Readonly<Record<WriteOperation, boolean>> = {
  'secrets.put': true,
  'secrets.patch': true,
  'secrets.delete': false,
  'secrets.rename': false,
  'secrets.accept': false,
  'secrets.import': false,
  'secrets.rollback': false,
  'secrets.restore': false,
  'secrets.purge': false,
  'fields.put': true,
  'fields.putMany': false,
  'fields.delete': false,
  'values.put': true,
  'fieldValues.put': true,
  'passwords.generate': false,
  'tokens.create': false,
  'tokens.rotate': false,
  'tokens.revoke': false,
  'tokens.touch': false,
  'tokens.reserve': false,
};

/** What an operation calls the versions of secrets that it makes; null if it makes none. */
export const CHANGES: Readonly<Record<WriteOperation, Change | null>> = {
  'secrets.put': 'set',
  'secrets.patch': 'edit',
  'secrets.delete': 'delete',
  'secrets.rename': 'rename',
  'secrets.accept': null,
  'secrets.import': 'import',
  'secrets.rollback': 'rollback',
  'secrets.restore': 'restore',
  'secrets.purge': null,
  'fields.put': 'fields',
  'fields.putMany': 'fields',
  'fields.delete': 'fields',
  'values.put': 'set',
  'fieldValues.put': 'fields',
  'passwords.generate': 'generate',
  'tokens.create': null,
  'tokens.rotate': null,
  'tokens.revoke': null,
  'tokens.touch': null,
  'tokens.reserve': null,
};
