/** Properties that hold whatever the input: what is stored comes back, and any sequence agrees with a plain model. */
import fc from 'fast-check';
import t from 'tap';
import { anyCharacter } from './fixtures/any-character.ts';
import { createHeldVault, type Held, hold } from './fixtures/held.ts';

t.setTimeout(550_000);
const sandbox = await createHeldVault(t);
let held: Held = await hold(t, sandbox);
const ask: Held['ask'] = (...given) => held.ask(...given);

const text = (min: number, max: number) => fc.string({ unit: 'grapheme', minLength: min, maxLength: max });
const isName = (name: string) => name !== '' && !/\p{Cc}/u.test(name) && Buffer.byteLength(name) <= 512;
const name = fc
  .oneof(text(1, 40), fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 }))
  .filter(isName);
/** No member of a JSON object may have the other name. */
const field = name.filter((one) => one !== '__proto__');
const environment = fc.oneof(fc.constant(''), name);
const value = fc.oneof(
  text(1, 200),
  fc.string({ unit: anyCharacter, minLength: 1, maxLength: 200 }),
  fc.constantFrom('\0', '\u001f"\\', '\ud83d\ude00', 'x'.repeat(100_000), '\u2028'),
);
const member = fc
  .oneof(text(1, 10), fc.constantFrom('a.b', '$x', '"', ' ', 'constructor'))
  .filter((key) => key !== '__proto__');
const metadata = fc
  .dictionary(member, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
  .filter((object) => !JSON.stringify(object).includes('"__proto__"'));

const pathOf = (secret: string, env: string, rest = '') =>
  `/v1/secrets/${encodeURIComponent(secret)}${rest}?env=${encodeURIComponent(env)}`;

t.test('PUT and GET > any name, environment, value, metadata and field > comes back the same', async (t) => {
  const property = fc.asyncProperty(
    name,
    environment,
    value,
    metadata,
    field,
    value,
    async (secret, env, stored, given, fieldName, fieldValue) => {
      const target = pathOf(secret, env);
      const put = await ask('PUT', target, { body: { value: stored, metadata: given } });
      if (put.status !== 201) throw new Error(`PUT answered ${put.status}`);
      await ask('PUT', pathOf(secret, env, `/fields/${encodeURIComponent(fieldName)}`), {
        body: { value: fieldValue },
      });
      const { json } = await ask('GET', target);
      const same =
        json.name === secret &&
        json.environment === env &&
        json.value === stored &&
        json.fields[fieldName] === fieldValue &&
        JSON.stringify(json.metadata) === JSON.stringify(JSON.parse(JSON.stringify(given)));
      await ask('DELETE', target);
      return same;
    },
  );
  await fc.assert(property, { numRuns: 150 });
  t.pass('150 runs');
});

t.test('metadata > numbers written in any way > come back as written', async (t) => {
  const number = fc.constantFrom(
    '1.0',
    '1e5',
    '-0',
    '0.10',
    '1E+2',
    '123456789012345678901234567890123456789012',
    '-0.0e-7',
  );
  const property = fc.asyncProperty(fc.array(number, { minLength: 1 }), async (numbers) => {
    const written = `{${numbers.map((one, index) => `"n${index}":${one}`).join(',')}}`;
    await ask('PUT', '/v1/secrets/numbers', { body: `{"value": "v", "metadata": ${written}}` });
    return (await ask('GET', '/v1/secrets/numbers')).text.includes(`"metadata":${written}`);
  });
  await fc.assert(property, { numRuns: 40 });
  await ask('DELETE', '/v1/secrets/numbers');
  t.pass('40 runs');
});

/** The model: what a vault is, in plain maps. */
interface Entry {
  value: string | undefined;
  metadata: Record<string, string>;
  fields: Map<string, string>;
}
type Model = Map<string, Entry>;
type Step = (model: Model) => Promise<string | null>;

const keyOf = (secret: string, env: string) => JSON.stringify([secret, env]);
const someName = fc.constantFrom('a', 'B', 'é', 'b/c', 'a%');
const someEnv = fc.constantFrom('', 'prod');
const someValue = fc.constantFrom('one', 'two', 'three');
const someMetadata = fc.constantFrom<Record<string, string>>(
  {},
  { owner: 'ann' },
  { owner: 'Bob', tier: '1' },
);
const someField = fc.constantFrom('host', 'port');

/** What is wrong with an answer's status, or null. */
const expect = (what: string, status: number, wanted: number) =>
  status === wanted ? null : `${what}: ${status}, not ${wanted}`;

const put =
  (secret: string, env: string, stored: string, given: Record<string, string>): Step =>
  async (model) => {
    const { status } = await ask('PUT', pathOf(secret, env), { body: { value: stored, metadata: given } });
    const fields = model.get(keyOf(secret, env))?.fields ?? new Map();
    model.set(keyOf(secret, env), { value: stored, metadata: given, fields });
    return expect('put', status, 201);
  };

const patch =
  (secret: string, env: string, change: { value?: string; metadata?: Record<string, string> }): Step =>
  async (model) => {
    const { status } = await ask('PATCH', pathOf(secret, env), { body: change });
    const entry = model.get(keyOf(secret, env));
    if (entry !== undefined) Object.assign(entry, change);
    return expect('patch', status, entry === undefined ? 404 : 200);
  };

const remove =
  (secret: string, env: string): Step =>
  async (model) => {
    const { status } = await ask('DELETE', pathOf(secret, env));
    return expect('delete', status, model.delete(keyOf(secret, env)) ? 200 : 404);
  };

const putField =
  (secret: string, env: string, field: string, stored: string): Step =>
  async (model) => {
    const { status } = await ask('PUT', pathOf(secret, env, `/fields/${field}`), { body: { value: stored } });
    const entry = model.get(keyOf(secret, env)) ?? { value: undefined, metadata: {}, fields: new Map() };
    entry.fields.set(field, stored);
    model.set(keyOf(secret, env), entry);
    return expect('put field', status, 201);
  };

const removeField =
  (secret: string, env: string, field: string): Step =>
  async (model) => {
    const { status } = await ask('DELETE', pathOf(secret, env, `/fields/${field}`));
    return expect('delete field', status, model.get(keyOf(secret, env))?.fields.delete(field) ? 200 : 404);
  };

/** The raw form: metadata and fields stay. */
const putValue =
  (secret: string, env: string, stored: string): Step =>
  async (model) => {
    const { status } = await ask('PUT', pathOf(secret, env, '/value'), { body: stored });
    const entry = model.get(keyOf(secret, env)) ?? { value: undefined, metadata: {}, fields: new Map() };
    model.set(keyOf(secret, env), { ...entry, value: stored });
    return expect('put value', status, 201);
  };

const rename =
  (secret: string, env: string, toName: string, toEnv: string): Step =>
  async (model) => {
    const body = { name: toName, environment: toEnv };
    const { status } = await ask('POST', pathOf(secret, env, '/rename'), { body });
    const [from, to] = [keyOf(secret, env), keyOf(toName, toEnv)];
    const entry = model.get(from);
    if (from === to) return expect('rename to itself', status, 400);
    if (entry === undefined) return expect('rename of none', status, 404);
    if (model.has(to)) return expect('rename over another', status, 409);
    model.delete(from);
    model.set(to, entry);
    return expect('rename', status, 200);
  };

const reopen = (): Step => async () => {
  await held.close();
  held = await hold(t, sandbox);
  return null;
};

const rotate = (): Step => async () => expect('rotate', (await ask('POST', '/v1/keys/rotate')).status, 200);

const reseal = (): Step => async () => {
  await ask('POST', '/v1/seal');
  const sealed = expect('sealed', (await ask('GET', '/v1/secrets')).status, 503);
  return sealed ?? expect('unseal', (await ask('POST', '/v1/unseal')).status, 200);
};

const steps: fc.Arbitrary<Step>[] = [
  fc.tuple(someName, someEnv, someValue, someMetadata).map((given) => put(...given)),
  fc
    .tuple(someName, someEnv, fc.record({ value: someValue, metadata: someMetadata }, { requiredKeys: [] }))
    .map((given) => patch(...given)),
  fc.tuple(someName, someEnv).map((given) => remove(...given)),
  fc.tuple(someName, someEnv, someField, someValue).map((given) => putField(...given)),
  fc.tuple(someName, someEnv, someField).map((given) => removeField(...given)),
  fc.tuple(someName, someEnv, someValue).map((given) => putValue(...given)),
  fc.tuple(someName, someEnv, someName, someEnv).map((given) => rename(...given)),
];
const step = fc.oneof(
  ...steps.map((arbitrary) => ({ arbitrary, weight: 8 })),
  { arbitrary: fc.constant(reseal()), weight: 1 },
  { arbitrary: fc.constant(rotate()), weight: 1 },
  { arbitrary: fc.constant(reopen()), weight: 1 },
);

/** Everything that the API shows of the vault, compared with the model. */
async function compare(model: Model): Promise<string | null> {
  const wanted = [...model]
    .map(([key, entry]) => ({ place: JSON.parse(key) as [string, string], entry }))
    .sort(
      (a, b) =>
        Buffer.compare(Buffer.from(a.place[0]), Buffer.from(b.place[0])) ||
        Buffer.compare(Buffer.from(a.place[1]), Buffer.from(b.place[1])),
    );
  const list = (await ask('GET', '/v1/secrets')).json as any[];
  const shown = list.map((row) => [row.name, row.environment, row.metadata, row.field_count]);
  const expected = wanted.map(({ place, entry }) => [
    ...place,
    entry.metadata,
    entry.fields.size || undefined,
  ]);
  if (JSON.stringify(shown) !== JSON.stringify(expected)) return 'the list differs';
  for (const { place, entry } of wanted) {
    const { json } = await ask('GET', pathOf(...place));
    const fields = entry.fields.size === 0 ? undefined : Object.fromEntries([...entry.fields].sort());
    if (json.value !== entry.value || JSON.stringify(json.fields) !== JSON.stringify(fields))
      return 'a secret differs';
    if (json.updated_at < json.created_at) return 'changed before it was made';
  }
  const owned = (await ask('GET', '/v1/secrets?metadata_key=owner&metadata_value=ann&env=prod')).json.length;
  if (
    owned !==
    wanted.filter(({ place, entry }) => place[1] === 'prod' && entry.metadata.owner === 'ann').length
  )
    return 'a filter differs';
  const found = (await ask('GET', '/v1/search?q=BOB')).json.length;
  if (found !== wanted.filter(({ entry }) => entry.metadata.owner === 'Bob').length)
    return 'the search of metadata differs';
  const named = (await ask('GET', '/v1/search?q=b/C')).json.length;
  return named === wanted.filter(({ place }) => place[0] === 'b/c').length
    ? null
    : 'the search of names differs';
}

t.test('operations > any sequence > agree with a plain model', async (t) => {
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (sequence) => {
    const model: Model = new Map();
    for (const row of (await ask('GET', '/v1/secrets')).json)
      await ask('DELETE', pathOf(row.name, row.environment));
    for (const run of sequence) {
      const problem = await run(model);
      if (problem !== null) throw new Error(problem);
    }
    const problem = await compare(model);
    if (problem !== null) throw new Error(problem);
  });
  await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 60_000 });
  t.pass('done');
});

t.test('writes at once > to one secret > the last acknowledged state is one of them, whole', async (t) => {
  const bodies = Array.from({ length: 60 }, (_, index) => ({
    value: `v${index}`,
    metadata: { index: String(index) },
  }));
  const answers = await Promise.all(bodies.map((body) => ask('PUT', '/v1/secrets/contended', { body })));
  t.ok(answers.every(({ status }) => status === 201));
  const { json } = await ask('GET', '/v1/secrets/contended');
  t.equal(json.value, `v${json.metadata.index}`);
  const patches = [
    ask('PATCH', '/v1/secrets/contended', { body: { value: 'patched' } }),
    ask('PATCH', '/v1/secrets/contended', { body: { metadata: { by: 'patch' } } }),
  ];
  await Promise.all(patches);
  const after = (await ask('GET', '/v1/secrets/contended')).json;
  t.same([after.value, after.metadata], ['patched', { by: 'patch' }]);
});
