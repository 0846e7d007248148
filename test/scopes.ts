/** Every scope against every route, generated from the route table; and the table against the contract. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { locateSessionToken } from '../src/places/session-token.ts';
import { type Route, routes } from '../src/routes.ts';
import type { Scope } from '../workers/messages.ts';
import { isError } from './fixtures/answers.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';

const daemon = await startDaemon(t);
const STORED = ['read', 'write', 'generate', 'admin'] as const;

/** What the contract says of each endpoint, written down a second time; `session` is the command line's own. */
const CONTRACT: Readonly<Record<string, Scope | null>> = {
  'GET /v1/health': null,
  'GET /v1/openapi.json': null,
  'GET /v1/secrets': 'read',
  'POST /v1/secrets/batch-get': 'read',
  'GET /v1/secrets/:name': 'read',
  'PUT /v1/secrets/:name': 'write',
  'PATCH /v1/secrets/:name': 'write',
  'DELETE /v1/secrets/:name': 'write',
  'POST /v1/secrets/:name/rename': 'write',
  'GET /v1/secrets/:name/value': 'read',
  'PUT /v1/secrets/:name/value': 'write',
  'PUT /v1/secrets/:name/fields/:field': 'write',
  'GET /v1/secrets/:name/fields/:field': 'read',
  'GET /v1/secrets/:name/fields': 'read',
  'PUT /v1/secrets/:name/fields': 'write',
  'DELETE /v1/secrets/:name/fields/:field': 'write',
  'GET /v1/secrets/:name/fields/:field/value': 'read',
  'PUT /v1/secrets/:name/fields/:field/value': 'write',
  'GET /v1/secrets/:name/versions': 'read',
  'POST /v1/secrets/:name/rollback': 'write',
  'POST /v1/secrets/:name/restore': 'write',
  'POST /v1/secrets/:name/purge': 'write',
  'GET /v1/deleted': 'read',
  'GET /v1/changes': 'read',
  'POST /v1/secrets/:name/accept': 'session',
  'GET /v1/search': 'read',
  'GET /v1/export': 'read',
  'POST /v1/import': 'write',
  'POST /v1/generate': 'generate',
  'GET /v1/info': 'read',
  'GET /v1/tokens': 'admin',
  'POST /v1/tokens': 'admin',
  'GET /v1/tokens/self': 'any',
  'GET /v1/tokens/:id': 'admin',
  'POST /v1/tokens/:id/rotate': 'any',
  'DELETE /v1/tokens/:id': 'admin',
  'GET /v1/audit': 'admin',
  'GET /v1/audit/verify': 'admin',
  'POST /v1/audit/:id/forget': 'session',
  'GET /v1/audit/reads': 'admin',
  'GET /v1/approvals': 'session',
  'POST /v1/approvals/:id/approve': 'session',
  'POST /v1/approvals/:id/deny': 'session',
  'GET /v1/status': 'session',
  'POST /v1/unseal': 'session',
  'POST /v1/seal': 'session',
  'POST /v1/keys/rotate': 'session',
  'GET /v1/keys': 'session',
  'POST /v1/keys': 'session',
  'POST /v1/keys/:id/remove': 'session',
  'POST /v1/keys/passphrase': 'session',
  'POST /v1/keys/recovery-code': 'session',
  'POST /v1/recover': 'session',
  'GET /v1/check': 'session',
  'POST /v1/backups': 'session',
  'POST /v1/destroy': 'session',
};

/** Each scope alone, and every other combination. */
const combinations = Array.from({ length: 2 ** STORED.length - 1 }, (_, index) =>
  STORED.filter((_scope, bit) => (index + 1) & (1 << bit)),
);
const tokens = new Map<string, string>();
for (const scopes of combinations) tokens.set(scopes.join('+'), (await daemon.createToken(scopes)).token);
const session = readFileSync(locateSessionToken(daemon.env, daemon.socket), 'utf8');

const titleOf = ({ method, path }: Route) => `${method} ${path}`;

/** Parameters without which an operation fails. */
const NEEDED: Readonly<Record<string, string>> = {
  'secrets.search': '?q=x',
  'audit.reads': '?token=session',
};

/** Asks for what is not there, with a body that is none (or no value): past the scope nothing happens. */
function send(route: Route, token: string | null) {
  const target = route.path.replace(':name', 'n').replace(':field', 'f').replace(':id', '0123456789abcdef');
  const query = NEEDED[route.operation] ?? '';
  return ask(daemon.socket, route.method, target + query, {
    token,
    body: route.body === 'none' ? undefined : route.bytes === 'body' ? '' : '{',
  });
}

t.test('routes > all of them > have the scope that the contract says', async (t) => {
  t.strictSame(Object.fromEntries(routes.map((route) => [titleOf(route), route.scope])), CONTRACT);
  const replacing = routes.filter(({ replaceScope }) => replaceScope !== undefined);
  t.strictSame(
    replacing.map((route) => [titleOf(route), route.replaceScope]),
    [
      ['POST /v1/generate', 'write'],
      ['POST /v1/import', 'read'],
    ],
  );
});

for (const route of routes) {
  const { scope } = route;
  t.test(
    `${titleOf(route)} > no token, an unknown one > ${scope === null ? 'answered' : '401'}`,
    async (t) => {
      for (const token of [null, `mvt_${'0'.repeat(64)}`, `mvs_${'0'.repeat(64)}`]) {
        const answer = await send(route, token);
        if (scope === null) t.equal(answer.status, 200);
        else isError(t, answer, 401, token === null ? 'none' : 'unknown');
      }
    },
  );
  if (scope === null) continue;
  t.test(`${titleOf(route)} > every combination of scopes > only ${scope} gets past`, async (t) => {
    for (const scopes of combinations) {
      const answer = await send(route, tokens.get(scopes.join('+')) ?? '');
      const isStored = scope !== 'session' && scope !== 'any';
      const isPermitted =
        scope === 'any' || (isStored && (scopes.includes(scope) || scopes.includes('admin')));
      if (isPermitted) t.notOk([401, 403].includes(answer.status), scopes.join('+'));
      else isError(t, answer, 403, scopes.join('+'));
    }
  });
}

t.test("session > the command line's own token > gets past everywhere", async (t) => {
  // Sealing comes last, and what it did is undone.
  for (const route of routes.toSorted(
    (a, b) => Number(a.path === '/v1/seal') - Number(b.path === '/v1/seal'),
  )) {
    const { status } = await send(route, session);
    t.notOk([401, 403].includes(status), titleOf(route));
  }
  t.equal((await ask(daemon.socket, 'POST', '/v1/unseal', { token: session })).status, 200);
});

t.test('passwords.generate > an existing secret > replaced with the scope write only', async (t) => {
  const value = async () => (await daemon.ask('GET', '/v1/secrets/taken')).json.value;
  await daemon.ask('PUT', '/v1/secrets/taken', { body: { value: 'before' } });
  for (const scopes of combinations.filter((list) => list.includes('generate') || list.includes('admin'))) {
    const before = await value();
    const token = tokens.get(scopes.join('+')) ?? '';
    const answer = await daemon.ask('POST', '/v1/generate', { token, body: { name: 'taken' } });
    if (scopes.includes('write') || scopes.includes('admin')) t.equal(answer.status, 200, scopes.join('+'));
    else isError(t, answer, 403, scopes.join('+'));
    t.equal((await value()) === before, answer.status === 403, 'a refusal changes nothing');
  }
});
