/** Paths and methods that are not of the API, and names in paths and queries. */
import fc from 'fast-check';
import t from 'tap';
import { routes } from '../src/routes.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import { ALLOWED, fill, METHODS } from './fixtures/api-errors.ts';
import { serveSecrets } from './fixtures/served-secrets.ts';

t.cleanSnapshot = replaceVolatile;

const { daemon, put, read } = await serveSecrets(t);

t.test('paths > that are none of the API > 404', async (t) => {
  for (const path of [
    '/',
    '/v1',
    '/v1/',
    '/v2/secrets',
    '/secrets',
    '/V1/secrets',
    '/v1/Secrets',
    '/v1/health/',
    '/v1/info/x',
    '/v1//secrets',
    '/v1/secrets/a/b',
    '/v1/secrets/a/fields/b/c',
    '/v1/secrets/a/field',
    '/v1/tokens/x/y',
    '/v1/constructor',
    '/v1/key',
    '/favicon.ico',
    '/v1/../v1/health',
    '*',
  ]) {
    for (const method of ['GET', 'PUT', 'OPTIONS']) {
      const answer = await daemon.ask(method, path, { headers: { 'Content-Length': '0' } });
      isError(t, answer, 404, `${method} ${path}`);
    }
  }
});

t.test('paths > every other method > 405 with Allow', async (t) => {
  t.strictSame(new Set(routes.map(({ path }) => path)), new Set(Object.keys(ALLOWED)), 'every path is here');
  for (const [path, allow] of Object.entries(ALLOWED)) {
    const target = fill(path);
    for (const method of METHODS.filter((name) => !allow.split(', ').includes(name))) {
      const answer = await daemon.ask(method, target, { headers: { 'Content-Length': '0' } });
      t.equal(answer.headers.allow, allow, `${method} ${path}`);
      if (method === 'HEAD') t.strictSame([answer.status, answer.text], [405, '']);
      else isError(t, answer, 405, `${method} ${path}`);
    }
  }
});

t.test('names > every printable character, unicode, dots and slashes > are kept as they are', async (t) => {
  const names = [
    'a/b',
    'a%2Fb',
    'a%252Fb',
    '100%25',
    '%',
    '%zz',
    '..',
    '.',
    '../..',
    'a//b',
    '/',
    'a b',
    ' a ',
    'a+b',
    'a;b=c',
    'a?b=c&d',
    'a#b',
    'fields',
    'x/fields/y',
    'x/fields',
    ':name',
    '*',
    'constructor',
    '__proto__',
    'ümläut-日本語-🔑',
    '\u202e\ufeff',
    'e\u0301',
    '\u00e9',
    ...Array.from({ length: 95 }, (_, index) => `c${String.fromCharCode(0x20 + index)}`),
    'n'.repeat(512),
    'é'.repeat(256),
    '🔑'.repeat(128),
  ];
  const inEnvironment = 'env=names';
  for (const name of names) {
    const target = `/v1/secrets/${encodeURIComponent(name)}?${inEnvironment}`;
    await put(target, { value: `value of ${name}` });
    const { name: shown, value } = await read(target);
    t.strictSame(
      { shown, value },
      { shown: name, value: `value of ${name}` },
      JSON.stringify(name.slice(0, 9)),
    );
  }
  const listed = (await read(`/v1/secrets?${inEnvironment}`)).map(({ name }: { name: string }) => name);
  t.strictSame(listed, names.toSorted(compareBytes), 'the list has them all, in the order of their bytes');
});

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

t.test('names > any text without control characters > goes through path, field and env', async (t) => {
  const anyName = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/\p{Cc}/u.test(text));
  // No member of a JSON object may have that name.
  const anyField = anyName.filter((text) => text !== '__proto__');
  await fc.assert(
    fc.asyncProperty(anyName, anyField, anyName, async (name, field, environment) => {
      const place = encodeURIComponent(name);
      const env = `?env=${encodeURIComponent(environment)}`;
      const target = `/v1/secrets/${place}/fields/${encodeURIComponent(field)}${env}`;
      await put(target, { value: 'v' });
      t.strictSame(await read(target), { name, field, value: 'v' });
      const secret = await read(`/v1/secrets/${place}${env}`);
      t.strictSame([secret.name, secret.environment], [name, environment]);
      await daemon.ask('DELETE', `/v1/secrets/${place}${env}`);
    }),
    { numRuns: 60 },
  );
});

t.test('names > escapes written in other ways > name the same secret', async (t) => {
  await put('/v1/secrets/caf%C3%A9%2Fx', { value: 'v' });
  for (const form of ['caf%c3%a9%2fx', '%63af%C3%A9%2Fx']) {
    t.equal((await read(`/v1/secrets/${form}`)).name, 'café/x', form);
  }
  const raw = Buffer.from('café').toString('latin1');
  for (const form of [`/v1/secrets/${raw}%2Fx`, `/v1/secrets/x?env=${raw}`]) {
    isError(
      t,
      await daemon.ask('GET', form),
      400,
      'bytes that are not escaped are no other name, but an error',
    );
  }
});
