/** Many secrets in one request: each as it is read by itself, in the order asked for, and no failure spoils another. */
import t from 'tap';
import { isError } from './fixtures/answers.ts';
import { startDaemon } from './fixtures/daemon.ts';
import type { AskHeld } from './fixtures/held.ts';
import { CANARY, createAttackedVault, REFUSAL, secretPath } from './fixtures/tampered.ts';

const MIB = 1_048_576;
const PATH = '/v1/secrets/batch-get';
const NO_SECRET = { error: 'no such secret in this environment', code: 'not_found' };
const NO_FIELD = { error: 'no such field in this secret', code: 'not_found' };
const LIST_RULE = '"refs" must be a list of 1 to 1000 references';
const BYTES = { value: Buffer.from([0, 0xff, 0x0a]).toString('base64'), encoding: 'base64' };

const daemon = await startDaemon(t);

interface Ref {
  readonly name: string;
  readonly environment: string;
  readonly field?: string;
}

/** Everything that a vault has: its secrets, then their fields. */
async function listRefs(ask: AskHeld): Promise<Ref[]> {
  const secrets: Ref[] = (await ask('GET', '/v1/secrets')).json.map(({ name, environment }: Ref) => ({
    name,
    environment,
  }));
  const fields = await Promise.all(
    secrets.map(async ({ name, environment }) => {
      const { json } = await ask('GET', `${withRest(name, environment, '/fields')}&names=true`);
      return json.map((field: string) => ({ name, environment, field }));
    }),
  );
  return [...secrets, ...fields.flat()];
}

function withRest(name: string, environment: string, rest: string): string {
  return secretPath(name, environment).replace('?', `${rest}?`);
}

/** What the item of a batch must be, asked for by itself. */
async function getOne(ask: AskHeld, { name, environment, field }: Ref): Promise<object> {
  if (field === undefined) return (await ask('GET', secretPath(name, environment))).json;
  const { json } = await ask('GET', withRest(name, environment, `/fields/${encodeURIComponent(field)}`));
  const { name: itsName, ...rest } = json;
  return { name: itsName, environment, ...rest };
}

t.test(
  'secrets.batchGet > secrets, fields, bytes, every script, twice > what is read singly, in order',
  async (t) => {
    const { ask } = await createAttackedVault(t);
    await ask('PUT', secretPath('bytes', ''), { body: BYTES });
    await ask('PUT', withRest('bytes', '', '/fields/raw'), { body: BYTES });
    const all = await listRefs(ask);
    t.ok(all.length > 12 && all.some(({ field }) => field !== undefined));
    const refs = [...all.toReversed(), ...all.slice(0, 2)];
    const wanted = await Promise.all(refs.map((ref) => getOne(ask, ref)));
    const { status, headers, text } = await ask('POST', PATH, { body: { refs } });
    t.equal(status, 200);
    t.equal(headers['content-type'], 'application/json');
    t.equal(headers['cache-control'], 'no-store');
    t.equal(text, JSON.stringify({ secrets: wanted }), 'byte for byte');
    const inDefault = await ask('POST', PATH, {
      body: { refs: [{ name: 'db', environment: null, field: null }, { name: 'db' }] },
    });
    const one = await getOne(ask, { name: 'db', environment: '' });
    t.strictSame(inDefault.json, { secrets: [one, one] }, 'null is absent, absent the default environment');
  },
);

t.test('secrets.batchGet > some are not there > an error in their places, the others unharmed', async (t) => {
  const { ask, events } = await createAttackedVault(t);
  const there = { name: 'api', environment: 'prod', field: 'user' };
  const missing: readonly (readonly [Ref, object])[] = [
    [{ name: 'none', environment: 'prod' }, NO_SECRET],
    [{ name: 'api', environment: '' }, NO_SECRET],
    [{ name: 'none "quoted"', environment: 'ключ', field: 'user' }, NO_SECRET],
    [{ name: 'db', environment: 'prod', field: 'none' }, NO_FIELD],
  ];
  const refs = [there, ...missing.map(([ref]) => ref), there];
  const { status, json } = await ask('POST', PATH, { body: { refs } });
  t.equal(status, 200);
  const found = await getOne(ask, there);
  t.strictSame(json.secrets, [found, ...missing.map(([ref, error]) => ({ ...ref, ...error })), found]);
  t.notMatch(events.join(), 'warning', 'nothing to warn of');
});

t.test(
  'secrets.batchGet > a row or a field was changed > an error in its place, named in the log',
  async (t) => {
    const { ask, file, rows, events, restore } = await createAttackedVault(t);
    const refs = await listRefs(ask);
    const before = (await ask('POST', PATH, { body: { refs } })).json.secrets;
    for (const { table, row } of rows) {
      file.replace([{ table, row }], [{ table, row: { ...row, updated_at: row.updated_at + 1 } }]);
      const owner = table === 'secrets' ? row : file.rows('secrets').find(({ id }) => id === row.secret_id)!;
      /** A secret is read with its fields, and a field only under a genuine secret. */
      const isSpoilt = ({ name, environment, field }: Ref) =>
        name === owner.name &&
        environment === owner.environment &&
        (field === undefined || table === 'secrets' || field === row.field);
      const wanted = refs.map((ref, at) => (isSpoilt(ref) ? { ...ref, ...JSON.parse(REFUSAL) } : before[at]));
      events.length = 0;
      const { status, json } = await ask('POST', PATH, { body: { refs } });
      t.equal(status, 200);
      t.strictSame(json.secrets, wanted, `${table}: ${owner.name} in ${owner.environment}`);
      t.equal(events.length, 1);
      t.match(events, ['warning: batch-get: entries that fail verification']);
      t.ok(events[0]?.includes(JSON.stringify([owner.name, owner.environment])), 'the log names it');
      t.notMatch(events.join(), CANARY);
      restore();
    }
  },
);

t.test('secrets.batchGet > more than 4 MiB > 413, but one by itself is answered', async (t) => {
  const large = [1, 2, 3, 4, 5].map((number) => ({ name: `large-${number}`, value: 'v'.repeat(MIB) }));
  const huge = { name: 'huge', fields: Object.fromEntries(large.map(({ name, value }) => [name, value])) };
  t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets: [...large, huge] } })).status, 200);
  const get = (names: readonly string[]) =>
    daemon.ask('POST', PATH, { body: { refs: names.map((name) => ({ name })) } });
  const alone = await get(['huge']);
  t.equal(alone.status, 200);
  t.strictSame(alone.json.secrets[0].fields, huge.fields);
  const four = await get(['large-1', 'large-2', 'large-3', 'huge']);
  t.equal(four.status, 200, 'the last one may be as large as it is');
  t.equal(four.json.secrets[3].field_count, 5);
  for (const names of [
    ['huge', 'none'],
    ['large-1', 'large-2', 'large-3', 'large-4', 'large-5'],
  ]) {
    const refused = await get(names);
    isError(t, refused, 413, names.join());
    t.match(refused.json.error, 'ask for fewer secrets at once');
  }
});

t.test('secrets.batchGet > 1,000 references > answered; none, or one more > 400', async (t) => {
  const refs = (count: number) => ({ refs: Array.from({ length: count }, (_, at) => ({ name: `n${at}` })) });
  const { status, json } = await daemon.ask('POST', PATH, { body: refs(1_000) });
  t.equal(status, 200);
  t.strictSame(
    json.secrets.map(({ name }: Ref) => name),
    refs(1_000).refs.map(({ name }) => name),
  );
  for (const count of [0, 1_001]) {
    const refused = await daemon.ask('POST', PATH, { body: refs(count) });
    isError(t, refused, 400, String(count));
    t.equal(refused.json.error, LIST_RULE);
  }
});

/** The canary stands where content is; no message repeats it. */
const REFUSED: readonly (readonly [body: unknown, message: string | RegExp])[] = [
  ['', 'a JSON body is required'],
  ['[]', 'the body must be a JSON object'],
  [`"${CANARY}"`, 'the body must be a JSON object'],
  [{}, '"refs" is required'],
  [{ refs: null }, '"refs" is required'],
  [{ refs: {} }, LIST_RULE],
  [{ refs: CANARY }, LIST_RULE],
  [{ refs: 1 }, LIST_RULE],
  [{ Refs: [] }, 'unknown member "Refs"'],
  [{ refs: [{ name: 'a' }], env: CANARY }, 'unknown member "env"'],
  [`{"refs":[{"name":"a"}],"refs":[{"name":"${CANARY}"}]}`, 'member "refs" is given twice'],
  [{ refs: [{ name: 'a' }, CANARY] }, '"refs"[1] must be an object'],
  [{ refs: [{ name: 'a' }, null] }, '"refs"[1] must be an object'],
  [{ refs: [[]] }, '"refs"[0] must be an object'],
  [{ refs: [{ environment: CANARY }] }, '"refs"[0]."name" is required'],
  [{ refs: [{ name: null }] }, '"refs"[0]."name" is required'],
  [{ refs: [{ name: 'a' }, { name: 1 }] }, '"refs"[1]."name" must be a string'],
  [{ refs: [{ name: '' }] }, '"refs"[0]."name" must not be empty'],
  [{ refs: [{ name: `${CANARY}\n` }] }, '"refs"[0]."name" must not have control characters'],
  [{ refs: [{ name: 'a', field: '' }] }, '"refs"[0]."field" must not be empty'],
  [{ refs: [{ name: 'a', field: {} }] }, '"refs"[0]."field" must be a string'],
  [{ refs: [{ name: 'a', environment: [] }] }, '"refs"[0]."environment" must be a string'],
  [
    { refs: [{ name: 'a', environment: CANARY.repeat(100) }] },
    '"refs"[0]."environment" must be at most 512 bytes long',
  ],
  ['{"refs":[{"name":"\\ud800"}]}', /^"refs"\[0\]/],
  [{ refs: [{ name: 'a', env: CANARY }] }, '"refs"[0]: unknown member "env"'],
  [`{"refs":[{"name":"a","name":"${CANARY}"}]}`, '"refs"[0]: member "name" is given twice'],
  ['{"refs":[{"name":"a","__proto__":{}}]}', '"refs"[0]: a member must not be named "__proto__"'],
  [`{"refs":[{"name":"${CANARY}"`, /^"refs"\[0\]: the body is not valid JSON/],
  ['{"refs":[{"name":"a"},]}', /^"refs"\[1\]/],
  ['{"refs":[{"name":"a"}]', /^the body is not valid JSON/],
  [`{"refs":[{"name":"a"}]}${CANARY}`, /^the body is not valid JSON/],
  ['{"refs":[{"name":"a"}]}{}', /^the body is not valid JSON/],
  [Buffer.from('{"refs":[{"name":"\xff"}]}', 'latin1'), 'the body is not valid UTF-8'],
  ['\ufeff{"refs":[{"name":"a"}]}', 'the body must not start with a byte order mark'],
];

t.test('secrets.batchGet > a body that is not what it takes > 400 with the place', async (t) => {
  for (const [body, message] of REFUSED) {
    const refused = await daemon.ask('POST', PATH, { body });
    isError(t, refused, 400, String(message));
    if (typeof message === 'string') t.equal(refused.json.error, message);
    else t.match(refused.json.error, message);
    t.notMatch(refused.text, CANARY);
  }
  isError(t, await daemon.ask('POST', `${PATH}?env=prod`, { body: { refs: [{ name: 'a' }] } }), 400, 'env');
});

t.test('secrets.batchGet > a secret is named batch-get > it is read and written as any other', async (t) => {
  const put = await daemon.ask('PUT', PATH, { body: { value: 'v', metadata: { a: 1 } } });
  t.equal(put.status, 201);
  t.match((await daemon.ask('GET', PATH)).json, { name: 'batch-get', value: 'v', metadata: { a: 1 } });
  t.strictSame((({ status, text }) => [status, text])(await daemon.ask('HEAD', PATH)), [200, '']);
  t.equal((await daemon.ask('PATCH', PATH, { body: { value: 'w' } })).status, 200);
  t.equal((await daemon.ask('PUT', `${PATH}/fields/user`, { body: { value: 'root' } })).status, 201);
  t.equal((await daemon.ask('GET', `${PATH}/value`)).text, 'w');
  const batch = await daemon.ask('POST', PATH, {
    body: { refs: [{ name: 'batch-get' }, { name: 'batch-get', field: 'user' }] },
  });
  t.match(batch.json.secrets, [{ value: 'w', fields: { user: 'root' } }, { value: 'root' }]);
  const moved = await daemon.ask('POST', `${PATH}/rename`, { body: { name: 'batch-gets' } });
  t.equal(moved.status, 200);
  const back = await daemon.ask('POST', `${PATH}s/rename`, { body: { name: 'batch-get' } });
  t.equal(back.status, 200, 'and so is one whose name begins like it');
  t.equal((await daemon.ask('DELETE', PATH)).status, 200);
  isError(t, await daemon.ask('GET', PATH), 404, 'gone');
  const other = await daemon.ask('POST', '/v1/secrets/other', { body: { refs: [{ name: 'a' }] } });
  isError(t, other, 405, 'POST is for batch-get alone');
  t.equal(other.headers.allow, 'GET, HEAD, PUT, PATCH, DELETE');
});

t.test('secrets.batchGet > many at once among other reads and writes > all are answered', async (t) => {
  const names = Array.from({ length: 100 }, (_, at) => `many-${at}`);
  const secrets = names.map((name) => ({ name, value: `value of ${name}` }));
  t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  const refs = names.map((name) => ({ name }));
  const answers = await Promise.all(
    names.map(async (name, at) => {
      const { json } = await daemon.ask('POST', PATH, { body: { refs } });
      const single = await daemon.ask(at % 2 === 0 ? 'GET' : 'PUT', `/v1/secrets/${name}/value`, {
        body: at % 2 === 0 ? undefined : secrets[at]?.value,
      });
      return (
        single.status < 300 && json.secrets.every(({ value }: any, i: number) => value === secrets[i]?.value)
      );
    }),
  );
  t.ok(answers.every(Boolean));
});
