/**
 * A program that uses every route of the API through a client generated from the OpenAPI document. The compiler holds
 * its requests and what it reads of the answers to that document; test/generated-client.ts runs it. At the end it
 * prints each route that it used, with the status, as JSON.
 *
 * Usage: program.ts SOCKET ADMIN-TOKEN SESSION-TOKEN; it destroys the vault.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import createClient, { type Middleware } from 'openapi-fetch';
import { fetchOver } from './over-socket.ts';
import type { components, paths } from './schema.d.ts';

const [socketPath = '', admin = '', session = ''] = process.argv.slice(2);
const used: Record<string, number> = {};
const noteRoute: Middleware = {
  onResponse: ({ request, response, schemaPath }) => {
    used[`${request.method} ${schemaPath}`] = response.status;
  },
};

function connect(token: string) {
  const client = createClient<paths>({
    baseUrl: 'http://localhost',
    fetch: fetchOver(socketPath),
    headers: { Authorization: `Bearer ${token}` },
  });
  client.use(noteRoute);
  return client;
}

/** The data of an answer that must be a success. */
function succeed<Data>(answer: { data?: Data; error?: components['schemas']['Error'] }): Data {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.error}`);
  return answer.data;
}

const client = connect(admin);
const db = { path: { name: 'db/main' }, query: { env: 'prod' } };
const raw = {
  bodySerializer: (bytes: unknown) => bytes as Uint8Array<ArrayBuffer>,
  parseAs: 'arrayBuffer',
} as const;

const health = succeed(await client.GET('/v1/health'));
const isUp: 'ok' = health.status;
equal(isUp, 'ok');
ok(succeed(await client.GET('/v1/openapi.json')));

// Whatever JSON metadata is made of.
const metadata = { owner: 'me', port: 5432, tags: ['a', null], nested: { deep: true } };
const stored = succeed(
  await client.PUT('/v1/secrets/{name}', { params: db, body: { value: 'v', metadata } }),
);
equal(stored.name satisfies string, 'db/main');
succeed(await client.PATCH('/v1/secrets/{name}', { params: db, body: { metadata: {} } }));
succeed(
  await client.PATCH('/v1/secrets/{name}', {
    params: db,
    body: { value: 'dg==', encoding: 'base64', metadata },
  }),
);
const secret = succeed(await client.GET('/v1/secrets/{name}', { params: db }));
equal(secret.value satisfies string | undefined, 'v');
deepEqual(secret.metadata, metadata);
match(secret.created_at satisfies string, /Z$/);

const bytes = Uint8Array.of(0xff, 0);
succeed(await client.PUT('/v1/secrets/{name}/value', { ...raw, params: db, body: bytes }));
const value = succeed(await client.GET('/v1/secrets/{name}/value', { ...raw, params: db }));
deepEqual(new Uint8Array(value), bytes);

const user = { path: { ...db.path, field: 'user' }, query: db.query };
const key = { path: { ...db.path, field: 'key' }, query: db.query };
succeed(await client.PUT('/v1/secrets/{name}/fields/{field}', { params: user, body: { value: 'root' } }));
equal(succeed(await client.GET('/v1/secrets/{name}/fields/{field}', { params: user })).value, 'root');
const fields = { host: 'localhost', pin: { value: '/w==', encoding: 'base64' as const } };
equal(
  succeed(await client.PUT('/v1/secrets/{name}/fields', { params: db, body: { fields } })).field_count,
  2,
);
succeed(await client.PUT('/v1/secrets/{name}/fields/{field}/value', { ...raw, params: key, body: bytes }));
ok(succeed(await client.GET('/v1/secrets/{name}/fields/{field}/value', { ...raw, params: key })));
const query = { ...db.query, names: true };
const names = succeed(await client.GET('/v1/secrets/{name}/fields', { params: { ...db, query } }));
deepEqual([names].flat().toSorted(), ['host', 'key', 'pin', 'user']);
succeed(await client.DELETE('/v1/secrets/{name}/fields/{field}', { params: key }));

const page = await client.GET('/v1/secrets', {
  params: { query: { env: 'prod', metadata_key: 'owner', limit: 1 } },
});
equal(succeed(page)[0]?.field_count satisfies number | undefined, 3);
equal(succeed(await client.GET('/v1/search', { params: { query: { q: 'main' } } })).length, 1);
const refs = [{ name: 'db/main', environment: 'prod', field: 'user' }, { name: 'none' }];
const batch = succeed(await client.POST('/v1/secrets/batch-get', { body: { refs } }));
const [found, missing] = batch.secrets;
ok(found !== undefined && 'value' in found && missing !== undefined && 'code' in missing);
equal(missing.code, 'not_found');
const renamed = { name: 'db', environment: '' };
succeed(await client.POST('/v1/secrets/{name}/rename', { params: db, body: renamed }));

const moved = { path: { name: 'db' } };
const { versions } = succeed(await client.GET('/v1/secrets/{name}/versions', { params: moved }));
const [newest, before] = versions;
ok(newest !== undefined && before !== undefined);
equal(newest.change satisfies string, 'rename');
const old = { ...moved, query: { version: before.version } };
equal(succeed(await client.GET('/v1/secrets/{name}', { params: old })).name, 'db/main');
const rolledBack = await client.POST('/v1/secrets/{name}/rollback', {
  params: moved,
  body: { version: before.version },
});
equal(succeed(rolledBack).restored_version satisfies number, before.version);
const trash = { path: { name: 'trash' } };
const due = { value: 'v', expires_at: '2027-01-31T00:00:00Z', rotate_by: 'never' };
succeed(await client.PUT('/v1/secrets/{name}', { params: trash, body: due }));
succeed(await client.DELETE('/v1/secrets/{name}', { params: trash }));
const beginning = await client.GET('/v1/changes', {
  params: { query: { env: '' }, header: { 'Last-Event-ID': 'unknown' } },
  parseAs: 'text',
});
match(succeed(beginning), /^retry: 1000\n\nevent: reset\n/);
equal(succeed(await client.GET('/v1/deleted'))[0]?.name satisfies string | undefined, 'trash');
equal(succeed(await client.POST('/v1/secrets/{name}/restore', { params: trash })).version, 3);
succeed(await client.POST('/v1/secrets/{name}/purge', { params: trash }));

const generated = succeed(await client.POST('/v1/generate', { body: { length: 8, symbols: false } }));
equal(generated.password.length, 8);
ok(succeed(await client.POST('/v1/generate')).entropy_bits > 100);
ok(succeed(await client.POST('/v1/generate', { body: { words: 6, name: 'phrase', metadata } })).stored);

const secrets = [
  { name: 'imported', value: 'w', metadata },
  { name: 'only-fields', fields },
];
const trial = await client.POST('/v1/import', { params: { query: { dry_run: true } }, body: { secrets } });
equal(succeed(trial).dry_run, true);
equal(succeed(await client.POST('/v1/import', { body: { secrets } })).added.length, 2);
const exported = succeed(await client.GET('/v1/export', { params: { query: { limit: 1000 } } }));
for (const entry of exported) ok(!('error' in entry), 'each can be read');
equal(exported.length, 4);
equal(succeed(await client.GET('/v1/info')).secret_count satisfies number, 4);

const scopes: components['schemas']['Token']['scopes'] = ['read', 'generate'];
const token = succeed(await client.POST('/v1/tokens', { body: { name: 'mine', scopes, expires_in: '1h' } }));
ok(
  succeed(await client.GET('/v1/tokens')).some(
    ({ id, expires_at }) => id === token.id && expires_at !== null,
  ),
);
const reader = connect(token.token);
const forbidden = await reader.DELETE('/v1/secrets/{name}', { params: { path: { name: 'db' } } });
equal(forbidden.error?.code, 'forbidden');
succeed(await client.GET('/v1/tokens/{id}', { params: { path: { id: token.id } } }));
succeed(await client.GET('/v1/tokens/self'));
await client.POST('/v1/tokens/{id}/rotate', { params: { path: { id: token.id } }, body: { overlap: '1h' } });
succeed(await client.DELETE('/v1/tokens/{id}', { params: { path: { id: token.id } } }));
const unknown = await reader.GET('/v1/info');
equal(unknown.error?.code, 'unauthorized');
const ifMatch = { params: { path: { name: 'db' }, header: { 'If-Match': '"x"' } } };
equal((await client.DELETE('/v1/secrets/{name}', ifMatch)).error?.code, 'precondition_failed');
succeed(await client.DELETE('/v1/secrets/{name}', { params: { path: { name: 'db' } } }));

const logged = succeed(await client.GET('/v1/audit', { params: { query: { operation: 'secrets.*' } } }));
for (const entry of logged.entries) match(entry.op satisfies string, /^secrets/);
const verified = succeed(await client.GET('/v1/audit/verify'));
deepEqual([verified.status, verified.problem_count satisfies number], ['intact', 0]);
const reads = succeed(await client.GET('/v1/audit/reads', { params: { query: { token: token.id } } }));
equal(reads.status, 'intact');

const own = connect(session);
const approvals = succeed(await own.GET('/v1/approvals', { params: { query: { wait: 0 } } }));
deepEqual(approvals.approvals satisfies { id: string }[], []);
for (const path of ['/v1/approvals/{id}/approve', '/v1/approvals/{id}/deny'] as const) {
  const none = await own.POST(path, { params: { path: { id: '0123456789abcdef' } } });
  equal(none.error?.code, 'not_found');
}
equal(succeed(await own.GET('/v1/status')).sealed satisfies boolean, false);
equal(succeed(await own.GET('/v1/check')).damaged.length, 0);
const draft = succeed(await own.POST('/v1/backups'));
equal(draft.mac.length, 64);
equal(succeed(await own.GET('/v1/check', { params: { query: { backup: draft.id } } })).damaged.length, 0);
succeed(await client.PUT('/v1/secrets/{name}', { params: db, body: { value: 'v' } }));
succeed(await own.POST('/v1/secrets/{name}/accept', { params: db }));
equal(succeed(await own.GET('/v1/secrets/{name}', { params: db })).accepted satisfies boolean, true);
succeed(await own.POST('/v1/keys/rotate'));
const segment = { params: { path: { id: '99' } } };
equal((await own.POST('/v1/audit/{id}/forget', segment)).error?.code, 'not_found');
const added = succeed(
  await own.POST('/v1/keys', { body: { kind: 'passphrase', new_passphrase: 'a long one' } }),
);
const change = { passphrase: 'a long one', new_passphrase: 'another long one' };
const changed = succeed(await own.POST('/v1/keys/passphrase', { body: change }));
ok(changed.id !== added.id);
equal(succeed(await own.GET('/v1/keys')).keys.length, 2);
const code = succeed(await own.POST('/v1/keys/recovery-code'));
succeed(await own.POST('/v1/keys', { body: { kind: 'recovery', ...code } }));
const recovery = { ...code, kind: 'passphrase', new_passphrase: 'a third long one' } as const;
equal(succeed(await own.POST('/v1/recover', { body: recovery })).status, 'recovered');
succeed(await own.POST('/v1/keys/{id}/remove', { params: { path: { id: changed.id } } }));
succeed(await own.POST('/v1/seal'));
equal((await client.GET('/v1/info')).error?.code, 'sealed');
succeed(await own.POST('/v1/unseal', { body: {} }));
succeed(await own.POST('/v1/destroy', { body: { confirm: 'destroy' } }));

console.log(JSON.stringify(used));

/** What the document does not permit, the compiler refuses; never called. */
export async function misuse(): Promise<void> {
  const params = { path: { name: 'a' } };
  // @ts-expect-error there is no such path
  await client.GET('/v1/none');
  // @ts-expect-error there is no such method
  await client.POST('/v1/health');
  // @ts-expect-error a secret needs a name
  await client.GET('/v1/secrets/{name}');
  // @ts-expect-error the parameter is called env
  await client.GET('/v1/secrets/{name}', { params: { ...params, query: { environment: 'prod' } } });
  // @ts-expect-error the value is missing
  await client.PUT('/v1/secrets/{name}', { params, body: { metadata: {} } });
  // @ts-expect-error metadata is an object
  await client.PUT('/v1/secrets/{name}', { params, body: { value: 'v', metadata: 'owner=me' } });
  // @ts-expect-error there is no such scope
  await client.POST('/v1/tokens', { body: { name: 'a', scopes: ['delete'] } });
  // @ts-expect-error there is no such code
  (await client.GET('/v1/info')).error?.code satisfies 'wrong';
  // @ts-expect-error it must be confirmed
  await client.POST('/v1/destroy', { body: { confirm: 'yes' } });
}
