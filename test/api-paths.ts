/** Paths and methods that are not of the API. */
import t from 'tap';
import { routes } from '../src/routes.ts';
import { isError, replaceVolatile } from './fixtures/answers.ts';
import { ALLOWED, fill, METHODS } from './fixtures/api-errors.ts';
import { startDaemon } from './fixtures/daemon.ts';

t.cleanSnapshot = replaceVolatile;

const daemon = await startDaemon(t);

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
    '/v1/keys',
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
