/** List and search over the socket: what they show, in which order, what the filters match, and page by page. */
import t from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import type { Answer } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';

t.cleanSnapshot = replaceVolatile;
const daemon = await startDaemon(t);

interface Listed {
  readonly name: string;
  readonly environment: string;
}

interface Given {
  readonly name: string;
  readonly env?: string;
  /** An object, or JSON as it is sent. */
  readonly metadata?: object | string;
  readonly value?: string;
}

async function store(...secrets: readonly Given[]): Promise<void> {
  await Promise.all(
    secrets.map(async ({ name, env = '', metadata = {}, value = 'v' }) => {
      const text = typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
      const target = `/v1/secrets/${encodeURIComponent(name)}?env=${encodeURIComponent(env)}`;
      const body = `{"value":${JSON.stringify(value)},"metadata":${text}}`;
      const answer = await daemon.ask('PUT', target, { body });
      if (answer.status !== 201) throw new Error(answer.text);
    }),
  );
}

const query = (params: Record<string, string>) => new URLSearchParams(params).toString();

async function names(target: string): Promise<string[]> {
  const { json, text } = await daemon.ask('GET', target);
  if (!Array.isArray(json)) throw new Error(text);
  return json.map(({ name }: Listed) => name);
}

const list = (params: Record<string, string>) => names(`/v1/secrets?${query(params)}`);
const search = (q: string) => names(`/v1/search?${query({ q })}`);

t.test('secrets.list, secrets.search > some secrets > 200 with summaries, never values', async (t) => {
  await store(
    { name: 'b', env: 'snapshot', metadata: '{"n": 1.0, "find": "snapshot-mark"}' },
    { name: 'a', env: 'snapshot' },
  );
  const fields = { fields: { user: 'root', pin: '0123' } };
  await daemon.ask('PUT', '/v1/secrets/c/fields?env=snapshot', { body: fields });
  t.matchSnapshot(show(await daemon.ask('GET', '/v1/secrets?env=snapshot')), 'list');
  t.matchSnapshot(show(await daemon.ask('GET', '/v1/secrets?env=none')), 'list of nothing');
  t.matchSnapshot(show(await daemon.ask('GET', '/v1/secrets?env=snapshot&limit=2')), 'first page');
  t.matchSnapshot(show(await daemon.ask('GET', '/v1/search?q=snapshot-mark')), 'search');
});

t.test('secrets.list > names of every script > ordered by the bytes of name, then environment', async (t) => {
  // U+FF5E sorts before U+1F511 by bytes, after it by UTF-16 code units.
  const order = ['order-', 'order-A', 'order-a', 'order-aa', 'order-b', 'order-é', 'order-～', 'order-🔑'];
  const environments = ['order', 'order～', 'order🔑', 'ordér'];
  await store(
    ...order.toReversed().flatMap((name) => environments.toReversed().map((env) => ({ name, env }))),
  );
  t.strictSame(await list({ env: 'order' }), order, 'within one environment');
  const all = (await daemon.ask('GET', '/v1/search?q=order-')).json;
  t.strictSame(
    all.map(({ name, environment }: Listed) => [name, environment]),
    order.flatMap((name) => environments.map((environment) => [name, environment])),
    'across environments',
  );
});

t.test('secrets.list > env absent, empty, given > all, the default one, that one', async (t) => {
  const metadata = { filter: 'env' };
  await store({ name: 'env-0', metadata }, { name: 'env-1', env: 'one', metadata });
  const key = { metadata_key: 'filter', metadata_value: 'env' };
  t.strictSame(await list(key), ['env-0', 'env-1']);
  t.strictSame(await list({ ...key, env: '' }), ['env-0']);
  t.strictSame(await names('/v1/secrets?metadata_key=filter&metadata_value=env&env'), ['env-0']);
  t.strictSame(await list({ ...key, env: 'one' }), ['env-1']);
  t.strictSame(await list({ ...key, env: 'two' }), []);
});

const METADATA_CASES: [key: string, json: string, text: string][] = [
  ['a.b', '"dotted"', 'dotted'],
  ['a"b', '"quoted"', 'quoted'],
  ['$.a', '"dollar"', 'dollar'],
  ['$[0]', '"index"', 'index'],
  ["a'b; --", '"sql"', 'sql'],
  ['', '"empty key"', 'empty key'],
  ['ключ 🔑', '"unicode"', 'unicode'],
  ['a\\u0000b', '"nul"', 'nul'],
  ['string', '"has \\"quotes\\" & %"', 'has "quotes" & %'],
  ['empty', '""', ''],
  ['number', '1.0', '1.0'],
  ['exponent', '1e5', '1e5'],
  ['true', 'true', 'true'],
  ['false', 'false', 'false'],
  ['null', 'null', 'null'],
  ['number as text', '"42"', '42'],
  ['number 42', '42', '42'],
];

t.test('secrets.list > metadata filters > one top-level member, compared as text', async (t) => {
  const members = METADATA_CASES.map(
    ([key, json]) => `${JSON.stringify(key).replaceAll('\\\\u', '\\u')}:${json}`,
  );
  await store({ name: 'meta', env: 'meta', metadata: `{"a":{"b":"nested"},${members.join(',')}}` });
  await store({ name: 'other', env: 'meta', metadata: { a: 'x', nested: { string: 'y' } } });
  for (const [key, , text] of METADATA_CASES) {
    const metadata_key = key.replace('\\u0000', '\0');
    const found = [
      await list({ env: 'meta', metadata_key }),
      await list({ env: 'meta', metadata_key, metadata_value: text }),
      await list({ env: 'meta', metadata_key, metadata_value: `${text}x` }),
    ];
    t.strictSame(found, [['meta'], ['meta'], []], JSON.stringify(key));
  }
  for (const [metadata_key, metadata_value] of [
    ['b', 'nested'],
    ['A', 'x'],
    ['number', '1'],
    ['exponent', '100000'],
    ['empty', '""'],
    ['string', 'HAS "QUOTES" & %'],
    ['%', 'x'],
  ] as const) {
    const found = await list({ env: 'meta', metadata_key, metadata_value });
    t.strictSame(found, [], `${metadata_key} is not ${metadata_value}`);
  }
  t.strictSame(await list({ env: 'meta', metadata_key: 'a' }), ['meta', 'other']);
  t.strictSame(await list({ env: 'none', metadata_key: 'a' }), [], 'filters combine');
});

t.test('secrets.list > metadata replaced > the filters follow', async (t) => {
  await store({ name: 'moving', env: 'moving', metadata: { was: 'here' } });
  const target = '/v1/secrets/moving?env=moving';
  await daemon.ask('PATCH', target, { body: { metadata: { is: 'there' } } });
  t.strictSame(await list({ env: 'moving', metadata_key: 'was' }), []);
  t.strictSame(await list({ env: 'moving', metadata_key: 'is' }), ['moving']);
  await daemon.ask('PATCH', target, { body: { value: 'w' } });
  t.strictSame(await list({ env: 'moving', metadata_key: 'is' }), ['moving'], 'a new value keeps them');
  await store({ name: 'moving', env: 'moving' });
  t.strictSame(await list({ env: 'moving', metadata_key: 'is' }), [], 'a replacement clears them');
  t.strictSame(await search('there'), []);
});

/** Walks `rel="next"` to the end; answers what each page held. */
async function walk(target: string): Promise<Listed[][]> {
  const pages: Listed[][] = [];
  for (let next: string | null = target; next !== null; ) {
    const answer: Answer = await daemon.ask('GET', next);
    if (answer.status !== 200) throw new Error(answer.text);
    pages.push(answer.json);
    next = findNext(answer);
  }
  return pages;
}

function findNext({ headers }: Answer): string | null {
  if (headers.link === undefined) return null;
  const link = /^<([^<>\s]+)>; rel="next"$/.exec(String(headers.link));
  if (link === null) throw new Error(`not a Link header: ${headers.link}`);
  return link[1] ?? null;
}

t.test('pages > walked to the end > together equal the whole', async (t) => {
  const metadata = { 'what?': 'a page & more' };
  const secrets = Array.from({ length: 23 }, (_, index) => ({
    name: `page-${[...'é/🔑"\\%+ '][index % 8]}${index % 5}`,
    env: `pages-${index}`,
    metadata,
  }));
  await store(...secrets);
  const filter = query({ metadata_key: 'what?', metadata_value: 'a page & more' });
  for (const target of [
    `/v1/secrets?${filter}`,
    '/v1/search?q=PAGE%20%26',
    // What a query may hold unescaped (RFC 3986 section 3.4), and more than it may.
    '/v1/search?q=what?',
    '/v1/search?q=what?&&',
  ]) {
    const [whole = []] = await walk(target);
    t.equal(whole.length, 23, target);
    for (const limit of [1, 7, 22, 23, 1000]) {
      const pages = await walk(`${target}&limit=${limit}`);
      t.strictSame(pages.flat(), whole, `${target} by ${limit}`);
      t.equal(pages.length, Math.ceil(23 / limit), 'no page is empty and none is too long');
    }
  }
});

t.test('pages > odd characters in the query > the Link header stays one link', async (t) => {
  await store({ name: 'odd >"<;,\'1', env: 'odd' }, { name: 'odd >"<;,\'2', env: 'odd' });
  const answer = await daemon.ask('GET', '/v1/search?limit=1&q=odd+>"<;,\'');
  t.equal(answer.json.length, 1);
  t.equal((await walk(findNext(answer) ?? ''))[0]?.length, 1);
  const escaped = await daemon.ask('GET', '/v1/search?l%69mit=1&q=odd+%3E%22%3C%3B%2C%27&');
  const second = await daemon.ask('GET', findNext(escaped) ?? '');
  t.strictSame([second.json.length, findNext(second)], [1, null]);
});

t.test('pages > a change between two of them > nothing that stays is missed or shown twice', async (t) => {
  const env = 'change';
  await store(...['a', 'b', 'c', 'd'].map((name) => ({ name: `change-${name}`, env })));
  const first = await daemon.ask('GET', '/v1/secrets?env=change&limit=2');
  await daemon.ask('DELETE', '/v1/secrets/change-b?env=change');
  await store({ name: 'change-aa', env });
  const rest = (await walk(findNext(first) ?? '')).flat().map(({ name }) => name);
  t.strictSame(rest, ['change-c', 'change-d']);
});

t.test('pages > limit and cursor out of the rules > 400', async (t) => {
  for (const limit of ['0', '1001', '-1', 'x', '', '1.5', '1e2', '+5', ' 5', '99999999999', '٣']) {
    const answer = await daemon.ask('GET', `/v1/secrets?${query({ limit })}`);
    isError(t, answer, 400, `limit ${JSON.stringify(limit)}`);
  }
  const forged = ['', 'x', '!', btoa('[]'), btoa('null'), btoa('["a"]'), btoa('[1,2]'), btoa('{"a":1}')];
  for (const cursor of forged) {
    for (const target of ['/v1/secrets?', '/v1/search?q=x&']) {
      const answer = await daemon.ask('GET', target + query({ cursor }));
      isError(t, answer, 400, `${target} cursor ${JSON.stringify(cursor)}`);
    }
  }
});

const SEARCHED: Given[] = [
  { name: 'Find-NAME', env: 'search' },
  { name: 's1', env: 'Find-ENV' },
  { name: 's2', env: 'search', metadata: { 'Find-KEY': 1 } },
  { name: 's3', env: 'search', metadata: { k: 'a Find-VALUE z' } },
  { name: 's4', env: 'search', metadata: { k: { 'Find-DEEPKEY': [{ x: 'Find-DEEP' }] } } },
  { name: 's5', env: 'search', metadata: '{"n": 31415.0, "b": true}' },
  { name: 's6', env: 'search', metadata: { k: 'find 50% off_now "quoted" a&b back\\slash new\nline' } },
  { name: 'Größe-ÉTÉ-ΣΊΣΥΦΟΣ-ЖУК', env: 'search' },
  { name: 's8', env: 'search', metadata: { left: 'right' }, value: 'find-in-value' },
];

const SEARCHES: [q: string, found: string[]][] = [
  ['find-name', ['Find-NAME']],
  ['FIND-name', ['Find-NAME']],
  ['d-NaM', ['Find-NAME']],
  ['find-env', ['s1']],
  ['find-key', ['s2']],
  ['FIND-VALUE', ['s3']],
  ['find-deepkey', ['s4']],
  ['find-deep', ['s4']],
  ['31415.0', ['s5']],
  ['31415.00', []],
  ['50% off_', ['s6']],
  ['50% OFF', ['s6']],
  ['5_% off', []],
  ['50%off', []],
  ['off-now', []],
  ['"quoted"', ['s6']],
  ['a&b', ['s6']],
  ['back\\slash', ['s6']],
  ['new\nline', ['s6']],
  ['größe-été', ['Größe-ÉTÉ-ΣΊΣΥΦΟΣ-ЖУК']],
  ['GRÖSSE', []],
  ['σίσυφος', ['Größe-ÉTÉ-ΣΊΣΥΦΟΣ-ЖУК']],
  ['жук', ['Größe-ÉTÉ-ΣΊΣΥΦΟΣ-ЖУК']],
  // The JSON around the texts, and what stands on both sides of it.
  ['{"', []],
  ['":"', []],
  ['"left"', []],
  ['left":"right', []],
  ['leftright', []],
  ['left right', []],
  ['left:right', []],
  ['s8search', []],
  ['\ufdd0', []],
  ['\0', []],
  ['find-in-value', []],
];

t.test('secrets.search > texts of names, environments, metadata > found as plain text', async (t) => {
  await store(...SEARCHED);
  const own = SEARCHED.map(({ name }) => name);
  const searchOwn = async (q: string) => (await search(q)).filter((name) => own.includes(name));
  for (const [q, expected] of SEARCHES) {
    t.strictSame(await searchOwn(q), expected, JSON.stringify(q));
  }
  for (const q of ['%', '_', '"', '&']) {
    t.strictSame(await searchOwn(q), ['s6'], `${q} is a plain character`);
  }
  await daemon.ask('PUT', '/v1/secrets/with-field/fields/find-field', {
    body: { value: 'find-field-value' },
  });
  t.strictSame(await search('find-field'), [], 'neither fields nor their values');
});

t.test('secrets.search > q absent or empty > 400', async (t) => {
  for (const target of ['/v1/search', '/v1/search?', '/v1/search?q', '/v1/search?q=', '/v1/search?limit=1']) {
    isError(t, await daemon.ask('GET', target), 400, target);
  }
});
