/** What the daemon answers, compared with what the OpenAPI document says that it answers. */

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t from 'tap';
import * as z from 'zod';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { routes } from '../src/routes.ts';
import { type Answer, ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { getOperation, membersOf, type Node, type Operation, scopeOf } from './fixtures/openapi-document.ts';

const FILE = new URL('../src/http/openapi.json', import.meta.url);

// Before any subtest: tap takes the whole to have ended when the last subtest has.
const daemon = await startDaemon(t);
const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket));

/** No member that the document does not name: what it says of an answer is all there is. */
function closeObjects(schema: Node): Node {
  if (Array.isArray(schema)) return schema.map(closeObjects);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { properties, ...rest } = schema;
  const closed = closeMembers(rest);
  if (properties === undefined) return closed;
  return { additionalProperties: false, ...closed, properties: closeMembers(membersOf(properties)) };
}

function closeMembers(node: { [member: string]: Node }): { [member: string]: Node } {
  return Object.fromEntries(Object.entries(node).map(([member, child]) => [member, closeObjects(child)]));
}

/** What the document says against an answer; empty if it is as described. */
function findDeviations(operation: Operation, { status, headers, json }: Answer): string[] {
  const described = operation.responses[status] ?? operation.responses.default;
  if (described === undefined) return [`${status} is not described`];
  const type = headers['content-type'] ?? 'none';
  if (Object.keys(described.content).join() !== type) return [`${type} is not the described type`];
  if (type !== 'application/json') return [];
  const { schema = {} } = described.content[type] ?? {};
  const { error } = z.fromJSONSchema(closeObjects(schema) as z.core.JSONSchema.JSONSchema).safeParse(json);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const SECRET = '/v1/secrets/described';

/** One call of each operation at least, with what its answer is. */
const CALLS: [operation: string, status: number, method: string, target: string, body?: unknown][] = [
  ['health', 200, 'GET', '/v1/health'],
  ['openapi', 200, 'GET', '/v1/openapi.json'],
  ['secrets.put', 201, 'PUT', SECRET, { value: 'v', metadata: { a: [1, null], b: 'c' } }],
  ['secrets.put', 400, 'PUT', SECRET, {}],
  ['secrets.patch', 200, 'PATCH', SECRET, { metadata: { a: 1 } }],
  ['secrets.patch', 404, 'PATCH', '/v1/secrets/none', {}],
  ['secrets.get', 200, 'GET', SECRET],
  ['fields.put', 201, 'PUT', `${SECRET}/fields/user`, { value: 'root' }],
  ['fields.putMany', 201, 'PUT', '/v1/secrets/fields-only/fields', { fields: { a: '1', b: '2' } }],
  ['fields.get', 200, 'GET', `${SECRET}/fields/user`],
  ['fields.get', 404, 'GET', `${SECRET}/fields/none`],
  ['fields.list', 200, 'GET', `${SECRET}/fields`],
  ['secrets.get', 200, 'GET', SECRET],
  ['secrets.get', 200, 'GET', '/v1/secrets/fields-only'],
  ['secrets.get', 404, 'GET', '/v1/secrets/none'],
  [
    'secrets.batchGet',
    200,
    'POST',
    '/v1/secrets/batch-get',
    {
      refs: [
        ...['described', 'fields-only', 'none'].map((name) => ({ name })),
        { name: 'fields-only', field: 'a' },
        { name: 'fields-only', environment: '', field: 'none' },
      ],
    },
  ],
  ['secrets.batchGet', 400, 'POST', '/v1/secrets/batch-get', { refs: [] }],
  ['secrets.list', 200, 'GET', '/v1/secrets'],
  ['secrets.list', 400, 'GET', '/v1/secrets?limit=0'],
  ['secrets.search', 200, 'GET', '/v1/search?q=described'],
  ['secrets.search', 400, 'GET', '/v1/search'],
  ['secrets.export', 200, 'GET', '/v1/export'],
  ['secrets.export', 400, 'GET', '/v1/export?limit=1001'],
  ['secrets.import', 200, 'POST', '/v1/import?dry_run=true', { secrets: [{ name: 'new', value: 'v' }] }],
  ['secrets.import', 400, 'POST', '/v1/import', { secrets: [] }],
  ['values.put', 201, 'PUT', `${SECRET}/value`, Buffer.from([0xff, 0])],
  ['values.put', 400, 'PUT', `${SECRET}/value`],
  ['values.get', 200, 'GET', `${SECRET}/value`],
  ['values.get', 404, 'GET', '/v1/secrets/fields-only/value'],
  ['fieldValues.put', 201, 'PUT', `${SECRET}/fields/bytes/value`, Buffer.from([0xff, 0])],
  ['fieldValues.get', 200, 'GET', `${SECRET}/fields/bytes/value`],
  ['fieldValues.get', 404, 'GET', `${SECRET}/fields/none/value`],
  ['fields.get', 200, 'GET', `${SECRET}/fields/bytes`],
  ['fields.list', 200, 'GET', `${SECRET}/fields`],
  ['secrets.get', 200, 'GET', SECRET],
  [
    'secrets.batchGet',
    200,
    'POST',
    '/v1/secrets/batch-get',
    { refs: [{ name: 'described' }, { name: 'described', field: 'bytes' }] },
  ],
  ['secrets.rename', 409, 'POST', `${SECRET}/rename`, { name: 'fields-only' }],
  ['secrets.rename', 200, 'POST', `${SECRET}/rename`, { name: 'renamed', environment: 'e' }],
  ['secrets.rename', 200, 'POST', '/v1/secrets/renamed/rename?env=e', { name: 'described', environment: '' }],
  ['secrets.accept', 200, 'POST', `${SECRET}/accept`],
  ['fields.delete', 200, 'DELETE', `${SECRET}/fields/user`],
  ['fields.list', 200, 'GET', `${SECRET}/fields`],
  ['passwords.generate', 200, 'POST', '/v1/generate'],
  ['passwords.generate', 200, 'POST', '/v1/generate', { name: 'generated', length: 8 }],
  ['passwords.generate', 200, 'POST', '/v1/generate', { words: 6 }],
  ['passwords.generate', 400, 'POST', '/v1/generate', { length: 0 }],
  ['vault.info', 200, 'GET', '/v1/info'],
  ['tokens.create', 201, 'POST', '/v1/tokens', { name: 'described', scopes: ['read'], expires_in: '1h' }],
  ['tokens.create', 201, 'POST', '/v1/tokens', { name: 'described', scopes: ['admin', 'write'] }],
  ['tokens.list', 200, 'GET', '/v1/tokens'],
  [
    'tokens.create',
    201,
    'POST',
    '/v1/tokens',
    { name: 'limited', scopes: ['read'], names: ['ci/**'], fields: [''], not_before: '2027-01-31T00:00:00Z' },
  ],
  ['tokens.create', 400, 'POST', '/v1/tokens', { name: 'limited', scopes: ['read'], names: [] }],
  ['tokens.self', 200, 'GET', '/v1/tokens/self'],
  ['tokens.get', 404, 'GET', '/v1/tokens/none'],
  ['tokens.rotate', 403, 'POST', '/v1/tokens/none/rotate'],
  ['tokens.revoke', 404, 'DELETE', '/v1/tokens/none'],
  ['secrets.versions', 200, 'GET', `${SECRET}/versions`],
  ['secrets.versions', 404, 'GET', '/v1/secrets/none/versions'],
  ['secrets.get', 200, 'GET', `${SECRET}?version=1`],
  ['secrets.rollback', 200, 'POST', `${SECRET}/rollback`, { version: 1 }],
  ['secrets.rollback', 400, 'POST', `${SECRET}/rollback`, { version: 0 }],
  ['secrets.rollback', 404, 'POST', `${SECRET}/rollback`, { version: 999 }],
  ['secrets.put', 201, 'PUT', SECRET, { value: 'v', expires_at: '2027-01-31T00:00:00Z', rotate_by: 'never' }],
  ['secrets.list', 200, 'GET', '/v1/secrets?due_before=2028-01-31T00:00:00Z'],
  ['secrets.delete', 200, 'DELETE', SECRET],
  ['secrets.deleted', 200, 'GET', '/v1/deleted'],
  ['secrets.deleted', 400, 'GET', '/v1/deleted?limit=0'],
  ['changes.list', 200, 'GET', '/v1/changes'],
  ['changes.list', 400, 'GET', '/v1/changes?env=%00'],
  ['secrets.restore', 200, 'POST', `${SECRET}/restore`],
  ['secrets.restore', 409, 'POST', `${SECRET}/restore`],
  ['secrets.purge', 200, 'POST', `${SECRET}/purge`],
  ['secrets.restore', 404, 'POST', `${SECRET}/restore`],
  ['audit.list', 200, 'GET', '/v1/audit?limit=1000'],
  ['audit.list', 400, 'GET', '/v1/audit?limit=0'],
  ['audit.verify', 200, 'GET', '/v1/audit/verify'],
  ['audit.reads', 200, 'GET', '/v1/audit/reads?token=session'],
  ['audit.reads', 400, 'GET', '/v1/audit/reads'],
  ['vault.status', 200, 'GET', '/v1/status'],
  ['vault.check', 200, 'GET', '/v1/check'],
  ['vault.backup', 200, 'POST', '/v1/backups'],
  ['keys.rotate', 200, 'POST', '/v1/keys/rotate'],
  ['keys.list', 200, 'GET', '/v1/keys'],
  ['audit.forget', 404, 'POST', '/v1/audit/99/forget'],
  ['keys.add', 400, 'POST', '/v1/keys', { kind: 'none' }],
  ['keys.remove', 404, 'POST', '/v1/keys/0123abcd/remove'],
  ['keys.changePassphrase', 503, 'POST', '/v1/keys/passphrase', { passphrase: 'a', new_passphrase: 'b' }],
  ['vault.seal', 200, 'POST', '/v1/seal'],
  ['secrets.get', 503, 'GET', SECRET],
  ['vault.unseal', 200, 'POST', '/v1/unseal'],
  ['vault.unseal', 400, 'POST', '/v1/unseal', { passphrase: 1 }],
  ['vault.destroy', 400, 'POST', '/v1/destroy', {}],
];

const OLD = 'an old passphrase';
/** The code of 32 zeros. */
const CODE = `${'abandon '.repeat(23)}art`;
const RECOVERY = { recovery_code: CODE, kind: 'passphrase' };

/** Changes the row of a segment of the audit log without the key. Returns its number. */
async function changeSegment(): Promise<number> {
  await daemon.ask('POST', '/v1/keys/rotate', { token: session });
  const db = new Database(daemon.databasePath);
  const id = db.prepare('SELECT min(id) FROM audit_segments').pluck().get() as number;
  db.prepare('UPDATE audit_segments SET opened_at = opened_at + 1 WHERE id = ?').run(id);
  db.close();
  return id;
}

t.test('openapi.json > actual answers > are as described', async (t) => {
  const { id } = await daemon.createToken(['read']);
  const revoking: (typeof CALLS)[number] = ['tokens.revoke', 200, 'DELETE', `/v1/tokens/${id}`];
  const succeeded = new Set<string>();
  const rotated = (await daemon.createToken(['read'])).id;
  await daemon.ask('PUT', '/v1/secrets/asks', { body: { value: 'v', confirm: 'always' } });
  /** Returns the path of an approval that a request waits for. */
  const defer = async () => {
    const headers = { 'X-Approval': 'ask', 'X-Purpose': 'to see' };
    const answer = await daemon.ask('GET', '/v1/secrets/asks', { headers });
    t.strictSame(findDeviations(getOperation('secrets.get'), answer), [], 'the error names the approval');
    return `/v1/approvals/${answer.json.approval.id}`;
  };
  /** Returns the id of a key that the vault does not need. */
  const addKey = async () => {
    const body = { kind: 'passphrase', new_passphrase: OLD };
    return (await daemon.ask('POST', '/v1/keys', { token: session, body })).json.id;
  };
  const own: (typeof CALLS)[number][] = [
    ['audit.forget', 200, 'POST', `/v1/audit/${await changeSegment()}/forget`],
    ['approvals.approve', 200, 'POST', `${await defer()}/approve`],
    ['approvals.deny', 200, 'POST', `${await defer()}/deny`],
    ['approvals.deny', 404, 'POST', '/v1/approvals/0123456789abcdef/deny'],
    ['approvals.list', await defer().then(() => 200), 'GET', '/v1/approvals?wait=1'],
    ['tokens.get', 200, 'GET', `/v1/tokens/${id}`],
    ['keys.remove', 200, 'POST', `/v1/keys/${await addKey()}/remove`],
    ['keys.newRecoveryCode', 200, 'POST', '/v1/keys/recovery-code'],
    ['keys.add', 201, 'POST', '/v1/keys', { kind: 'recovery', recovery_code: CODE }],
    ['vault.recover', 200, 'POST', '/v1/recover', { ...RECOVERY, new_passphrase: OLD }],
    ['vault.recover', 400, 'POST', '/v1/recover', RECOVERY],
    ['keys.add', 201, 'POST', '/v1/keys', { kind: 'passphrase', new_passphrase: OLD }],
    [
      'keys.changePassphrase',
      200,
      'POST',
      '/v1/keys/passphrase',
      { passphrase: OLD, new_passphrase: 'a new one' },
    ],
    ['tokens.rotate', 201, 'POST', `/v1/tokens/${rotated}/rotate`, { overlap: '1h' }],
  ];
  await daemon.ask('DELETE', '/v1/secrets/asks');
  for (const [name, status, method, target, body] of [...own, revoking, ...CALLS]) {
    // The owner alone rotates the tokens of others.
    const isOwners =
      scopeOf(getOperation(name)) === 'session' || (status === 201 && name === 'tokens.rotate');
    const token = isOwners ? session : daemon.admin;
    const answer = await daemon.ask(method, target, { token, body });
    t.equal(answer.status, status, `${method} ${name}`);
    t.strictSame(findDeviations(getOperation(name), answer), [], `${name} ${status}`);
    if (status < 300) succeeded.add(name);
  }
  t.strictSame(
    succeeded,
    new Set(routes.map(({ operation }) => operation).filter((operation) => operation !== 'vault.destroy')),
    'each operation was asked',
  );
  const wrong = { ...(await daemon.ask('GET', '/v1/health')), json: { status: 'ok', time: 1, extra: true } };
  t.equal(findDeviations(getOperation('health'), wrong).length, 2, 'a deviation would be seen');
});

t.test('openapi.json > answers of every kind of error > are as described', async (t) => {
  const { token } = await daemon.createToken(['read']);
  const operation = getOperation('secrets.put');
  const body = { value: 'v' };
  const answers = await Promise.all([
    ask(daemon.socket, 'PUT', SECRET, { body }),
    ask(daemon.socket, 'PUT', SECRET, { body, token }),
    daemon.ask('PUT', SECRET, { body, headers: { 'If-Match': '"x"' } }),
    daemon.ask('PUT', SECRET, { body: { value: 'v'.repeat(1_048_576) } }),
    daemon.ask('POST', SECRET, { body }),
    ask(daemon.socket, 'GET', '/v1/none'),
    daemon.ask('POST', '/v1/seal', { body }),
  ]);
  t.strictSame(
    answers.map(({ status }) => status),
    [401, 403, 412, 413, 405, 401, 403],
  );
  for (const answer of answers) t.strictSame(findDeviations(operation, answer), [], String(answer.status));
});

t.test('openapi > without a token > the document that is checked in', async (t) => {
  const answer = await ask(daemon.socket, 'GET', '/v1/openapi.json');
  t.equal(answer.status, 200);
  t.ok(answer.bytes.equals(readFileSync(FILE)));
  const again = await ask(daemon.socket, 'GET', '/v1/openapi.json');
  t.ok(again.bytes.equals(answer.bytes), 'asked twice, it is the same');
});

// The last one: it ends the daemon.
t.test('openapi.json > the answer to the destruction of the vault > is as described', async (t) => {
  const answer = await daemon.ask('POST', '/v1/destroy', { token: session, body: { confirm: 'destroy' } });
  t.equal(answer.status, 200);
  t.strictSame(findDeviations(getOperation('vault.destroy'), answer), []);
});
