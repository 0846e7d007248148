/** Says in plain words what an entry of the audit log is about. */
import type { Operation } from '../../../workers/messages.ts';
import type { AuditEntry, AuditSecret } from '../../client/types.ts';
import { formatTimeToSecond } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';

const OPERATIONS = {
  'secrets.list': 'listed secrets',
  'secrets.get': 'read',
  'secrets.batchGet': 'read',
  'secrets.search': 'searched',
  'secrets.versions': 'listed versions',
  'secrets.deleted': 'listed deleted',
  'changes.list': 'followed changes',
  'secrets.export': 'exported',
  'secrets.put': 'set',
  'secrets.patch': 'edited',
  'secrets.delete': 'deleted',
  'secrets.rename': 'renamed',
  'secrets.accept': 'accepted',
  'secrets.import': 'imported',
  'secrets.rollback': 'rolled back',
  'secrets.restore': 'restored',
  'secrets.purge': 'purged',
  'fields.list': 'read fields',
  'fields.get': 'read field',
  'fields.put': 'set field',
  'fields.putMany': 'set fields',
  'fields.delete': 'deleted field',
  'values.get': 'read',
  'values.put': 'set',
  'fieldValues.get': 'read field',
  'fieldValues.put': 'set field',
  'passwords.generate': 'generated',
  'tokens.list': 'listed tokens',
  'tokens.get': 'showed token',
  'tokens.self': 'showed token',
  'tokens.create': 'created token',
  'tokens.rotate': 'rotated token',
  'tokens.revoke': 'revoked token',
  'tokens.reserve': 'reserved uses',
  'tokens.touch': 'noted uses',
  'audit.list': 'read the log',
  'audit.verify': 'verified the log',
  'audit.reads': 'listed reads',
  'approvals.list': 'asked for approvals',
  'approvals.approve': 'approved',
  'approvals.deny': 'refused',
  'vault.info': 'asked about the vault',
  'vault.check': 'checked the vault',
  'vault.status': 'asked for the state',
  'vault.unseal': 'unsealed',
  'vault.resume': 'unsealed again',
  'vault.seal': 'sealed',
  'vault.init': 'created the vault',
  'vault.inspect': 'looked at the vault',
  'vault.adopt': 'adopted the vault',
  'vault.acceptRestore': 'accepted the vault as it is',
  'rows.check': 'compared all rows with their MAC',
  'vault.probeKeychain': 'tried the keychain',
  'goVault.read': "read the Go program's vault",
  'goVault.replace': "replaced the Go program's vault",
  'vault.backup': 'made a backup',
  'keys.rotate': 'began to rotate the key',
  'keys.list': 'listed key slots',
  'keys.add': 'added a key slot',
  'keys.remove': 'removed a key slot',
  'audit.forget': 'gave up a segment',
  'keys.changePassphrase': 'changed the passphrase',
  'vault.confirmBackup': 'restored the vault',
  'keys.newRecoveryCode': 'made a recovery code',
  'vault.recover': 'recovered the vault',
  'vault.destroy': 'destroyed the vault',
} as const satisfies Readonly<Record<Operation, string>>;

/** Events that no request asked for. */
const OWN_EVENTS: Readonly<Record<string, string>> = {
  'audit.dropped': 'dropped old entries',
  'audit.forgotten': 'gave up a segment',
  'audit.broken': 'found a changed file',
  'audit.lost': 'could not be written',
  'audit.torn': 'cut off half a batch',
  'audit.refused': 'refused to unseal',
  'keys.rotated': 'rotated the key',
};

/** An operation of a later version keeps its name. */
export function describeOperation({ op }: AuditEntry): string {
  if (Object.hasOwn(OPERATIONS, op)) return OPERATIONS[op as Operation];
  return OWN_EVENTS[op] ?? op;
}

/** What it was done to; empty if that goes without saying. */
export function describeSubject(entry: AuditEntry): string {
  const { secrets = [], token, token_name: name, key, backup, environment } = entry;
  const [first] = secrets;
  if (first !== undefined) {
    const more = secrets.length === 1 ? '' : `, and ${secrets.length - 1} more`;
    return describePart(first) + more;
  }
  if (token !== undefined) return name === undefined ? token : `${name} (${token})`;
  if (key !== undefined) return key;
  if (backup !== undefined) return `of ${formatTimeToSecond(backup)}`;
  return environment === undefined || environment === '' ? describeNumbers(entry) : `in ${environment}`;
}

/** A secret, with the fields of it that were read. */
function describePart({ name, environment, value, fields = [] }: AuditSecret): string {
  const secret = describeSecret(name, environment);
  if (fields.length === 0) return secret;
  return `${secret} (${[...(value ? ['value'] : []), ...fields].join(', ')})`;
}

function describeNumbers({
  generation,
  segment,
  through,
  entries,
  bytes,
  count,
  damaged,
}: AuditEntry): string {
  return [
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    ...(segment === undefined ? [] : [`segment ${segment}`]),
    ...(through === undefined ? [] : [`through segment ${through}`]),
    ...(entries === undefined ? [] : [`${entries} entries`]),
    ...(bytes === undefined ? [] : [`${bytes} bytes`]),
    ...(count === undefined ? [] : [`${count} times`]),
    ...(damaged === undefined ? [] : [`${damaged} damaged rows`]),
  ].join(', ');
}

/** The version that was read or made; empty for a purge, and for several secrets, which have a version each. */
export function describeVersion({ secrets = [] }: AuditEntry): string {
  const [first] = secrets;
  return secrets.length === 1 && first?.version ? String(first.version) : '';
}

/** `curl (4242)`. */
export function describeProgram({ program, pid }: AuditEntry): string {
  if (pid === undefined) return program ?? '';
  return program === undefined ? `(${pid})` : `${program} (${pid})`;
}

/** `ok`, or what went wrong: the code of the error in words. */
export function describeResult({ result = '', approved }: AuditEntry): string {
  const text = result.replaceAll('_', ' ');
  return approved ? `${text}, approved` : text;
}
