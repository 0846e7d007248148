/** An import that says when its secrets were made and changed: for new ones only, and the owner's to say. */
import t from 'tap';
import { get, importInto, open } from './fixtures/api-transfer.ts';

const MADE = '2026-01-02T03:04:05Z';
const CHANGED = '2026-02-03T04:05:06Z';
const FUTURE = '2999-01-01T00:00:00Z';

const timesOf = ({ json: { created_at, updated_at } }: { json: any }) => ({ created_at, updated_at });

t.test('secrets.import > times of new entries > stored, and vouched for', async (t) => {
  const { ask } = await open(t);
  const before = Date.now();
  const both = { created_at: MADE, updated_at: CHANGED };
  const given = [
    { name: 'both', value: 'v', ...both },
    { name: 'with-fields', value: 'v', fields: { f: 'w' }, ...both },
    { name: 'fields-only', fields: { f: 'w' }, created_at: '2026-01-02T04:04:05+01:00', updated_at: CHANGED },
    { name: 'changed', value: 'v', updated_at: CHANGED },
    { name: 'made', value: 'v', created_at: MADE },
    { name: 'future', value: 'v', created_at: FUTURE, updated_at: FUTURE },
    { name: 'turned', value: 'v', created_at: CHANGED, updated_at: MADE },
  ];
  t.equal((await importInto(ask, given)).status, 200);
  const found = Object.fromEntries(
    await Promise.all(given.map(async ({ name }) => [name, timesOf(await get(ask, name))] as const)),
  );
  for (const name of ['both', 'with-fields', 'fields-only']) t.strictSame(found[name], both, name);
  t.strictSame(found.changed, { created_at: CHANGED, updated_at: CHANGED });
  t.strictSame(found.turned, { created_at: MADE, updated_at: MADE }, 'made no later than changed');
  t.equal(found.made?.created_at, MADE);
  for (const time of [found.made?.updated_at, ...Object.values(found.future ?? {})])
    t.ok(Date.parse(time) >= before - 1000 && Date.parse(time) <= Date.now(), 'none is in the future');
});

t.test(
  'secrets.import > times of an entry that exists > its own stay, and do not make it another',
  async (t) => {
    const { ask } = await open(t);
    await importInto(ask, [{ name: 'a', value: 'v', created_at: MADE, updated_at: MADE }]);
    const same = await importInto(ask, [{ name: 'a', value: 'v', created_at: CHANGED, updated_at: CHANGED }]);
    t.equal(same.json.unchanged.length, 1);
    t.equal(
      (await importInto(ask, [{ name: 'a', value: 'w', created_at: CHANGED, updated_at: CHANGED }])).status,
      200,
    );
    const { created_at: created, updated_at: updated } = timesOf(await get(ask, 'a'));
    t.equal(created, MADE);
    t.ok(Date.parse(updated) > Date.parse(CHANGED));
  },
);

t.test('secrets.import > times from a token, or that are none > refused, nothing stored', async (t) => {
  const { ask } = await open(t);
  const body = { name: 'n', scopes: ['admin'] };
  const { token } = (await ask('POST', '/v1/tokens', { body })).json;
  const refused = await importInto(ask, [{ name: 'a', value: 'v', created_at: MADE }], '', token);
  t.match(refused, { status: 403, json: { code: 'forbidden', error: /only the owner's session/ } });
  for (const time of ['never', 'yesterday', 7, '2026-02-30T00:00:00Z', '1960-01-01T00:00:00Z'])
    t.match(await importInto(ask, [{ name: 'a', value: 'v', updated_at: time }]), {
      status: 400,
      json: { error: /^"secrets"\[0\]\."updated_at" must be a time such as/ },
    });
  t.equal((await get(ask, 'a')).status, 404);
});
