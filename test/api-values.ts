/** Values that are bytes: base64 in JSON, and the raw form. */
import fc from 'fast-check';
import t from 'tap';
import { isError, replaceVolatile, show } from './fixtures/answers.ts';
import { RawConnection } from './fixtures/raw.ts';
import { base64, NOT_UTF8, serveSecrets } from './fixtures/served-secrets.ts';
import { decodeValue, findLosses, SAMPLE_VALUES, WRITE_FORMS } from './fixtures/value-forms.ts';

t.cleanSnapshot = replaceVolatile;
const served = await serveSecrets(t);
const { daemon, fresh, put, read, readBytes } = served;

const MAX_BODY_SIZE = 1_048_576;

t.test('values > each endpoint > as in the contract', async (t) => {
  const steps: [method: string, target: string, body?: unknown][] = [
    ['PUT', '/v1/secrets/blob/value?env=prod', NOT_UTF8],
    ['GET', '/v1/secrets/blob?env=prod'],
    ['PUT', '/v1/secrets/blob/fields/a%2Fb/value?env=prod', NOT_UTF8],
    ['PUT', '/v1/secrets/blob/fields?env=prod', { fields: { user: 'root', key: base64(NOT_UTF8) } }],
    ['GET', '/v1/secrets/blob/fields/a%2Fb?env=prod'],
    ['GET', '/v1/secrets/blob/fields?env=prod'],
    ['GET', '/v1/secrets/blob?env=prod'],
    ['PUT', '/v1/secrets/blob?env=prod', { ...base64(Buffer.from('text')), metadata: { a: 1 } }],
    ['GET', '/v1/secrets/blob/value?env=prod'],
    ['GET', '/v1/secrets/blob/fields/user/value?env=prod'],
    ['POST', '/v1/secrets/blob/rename?env=prod', { name: 'blob 2' }],
    ['POST', '/v1/secrets/blob%202/rename?env=prod', { name: 'blob', environment: '' }],
    ['GET', '/v1/secrets/blob'],
    ['DELETE', '/v1/secrets/blob'],
  ];
  for (const [method, target, body] of steps) {
    const answer = await daemon.ask(method, target, body === undefined ? {} : { body });
    t.equal(answer.headers['content-length'], String(answer.bytes.length));
    t.matchSnapshot(show(answer), `${method} ${target}`);
  }
});

for (const [form, write] of Object.entries(WRITE_FORMS)) {
  t.test(`values > any bytes, written ${form} > come back the same in every form`, async (t) => {
    for (const bytes of SAMPLE_VALUES) {
      const target = fresh();
      await write(served, target, bytes);
      t.same(await findLosses(served, target, bytes), [], bytes.toString('hex').slice(0, 20));
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        const target = fresh();
        await write(served, target, Buffer.from(bytes));
        const losses = await findLosses(served, target, Buffer.from(bytes));
        if (losses.length > 0) throw new Error(losses.join(', '));
      }),
      { numRuns: 25 },
    );
  });
}

t.test('values > a raw value of 1 MiB > taken, and one byte more is 413', async (t) => {
  const target = fresh();
  const largest = Buffer.alloc(MAX_BODY_SIZE, 'x\xff', 'latin1');
  for (const path of ['/value', '/fields/f/value']) {
    await put(`${target}${path}`, largest);
    t.ok((await readBytes(`${target}${path}`)).equals(largest), path);
    const chunked = { body: largest, headers: { 'Transfer-Encoding': 'chunked' } };
    t.equal((await daemon.ask('PUT', `${target}${path}`, chunked)).status, 201, 'of no announced length');
    const body = Buffer.alloc(MAX_BODY_SIZE + 1);
    isError(t, await daemon.ask('PUT', `${target}${path}`, { body }), 413, path);
    t.ok((await readBytes(`${target}${path}`)).equals(largest), 'it is as it was');
  }
  t.ok(decodeValue(await read(target)).equals(largest), 'as base64 it is larger than a body may be');
});

t.test('values > answers of bytes > say what they are; errors stay JSON', async (t) => {
  const target = fresh();
  await put(target, { value: 'v' });
  await put(`${target}/fields/f`, { value: 'v' });
  for (const path of ['/value', '/fields/f/value']) {
    const { headers, bytes } = await daemon.ask('GET', `${target}${path}`);
    t.equal(headers['content-type'], 'application/octet-stream');
    t.equal(headers['cache-control'], 'no-store');
    t.equal(bytes.toString(), 'v');
    const head = await daemon.ask('HEAD', `${target}${path}`);
    t.strictSame([head.status, head.headers['content-length'], head.bytes.length], [200, '1', 0]);
    t.equal(head.headers['content-type'], 'application/octet-stream');
    isError(t, await daemon.ask('GET', `${fresh()}${path}`), 404, `${path} of no secret`);
    isError(t, await daemon.ask('GET', `${target}${path}?x=1`), 400, `${path} with an unknown parameter`);
    isError(t, await daemon.ask('GET', `${target}${path}`, { token: null }), 401, `${path} without a token`);
    const other = await daemon.ask('DELETE', `${target}${path}`);
    isError(t, other, 405, `${path} with another method`);
    t.equal(other.headers.allow, 'GET, HEAD, PUT');
  }
  isError(t, await daemon.ask('GET', `${target}/fields/none/value`), 404, 'no such field');
});

t.test('values.get > its entity tag > is that of the secret', async (t) => {
  const target = fresh();
  await put(`${target}/value`, 'v');
  const { headers } = await daemon.ask('GET', target);
  t.match(headers.etag, /^"1-\d+"$/);
  t.equal((await daemon.ask('GET', `${target}/value`)).headers.etag, headers.etag);
});

t.test('values.get > a secret that has fields only > 404 that says so', async (t) => {
  const target = fresh();
  await put(`${target}/fields/f/value`, 'v');
  const answer = await daemon.ask('GET', `${target}/value`);
  isError(t, answer, 404, 'no value');
  t.equal(answer.json.error, 'this secret has no value of its own');
  t.strictSame((await read(target)).fields, { f: 'v' });
  await put(`${target}/value`, 'now');
  t.match(await read(target), { value: 'now', fields: { f: 'v' } });
});

t.test('values.put > over a secret > keeps metadata, fields and created_at', async (t) => {
  const target = fresh();
  await put(target, { value: 'before', metadata: { owner: 'ops', n: 1.5 } });
  await put(`${target}/fields/f`, { value: 'v' });
  const before = await read(target);
  await put(`${target}/value`, 'after');
  const after = await read(target);
  const expected = { ...before, value: 'after', version: 3 };
  t.strictSame({ ...after, updated_at: '' }, { ...expected, updated_at: '' });
  const found = await read(`/v1/secrets?metadata_key=owner&metadata_value=ops`);
  t.ok(
    found.some(({ name }: { name: string }) => name === before.name),
    'it is found by its metadata',
  );
});

t.test('values.put > no such secret > created as by the JSON form', async (t) => {
  const [target, field] = [fresh(), fresh()];
  const [name, fieldName] = [target, field].map((path) => path.split('/').at(-1));
  t.strictSame((await put(`${target}/value`, 'v')).json, { status: 'stored', name, version: 1 });
  t.match(await read(target), { value: 'v', metadata: {} });
  t.notOk('fields' in (await read(target)));
  t.strictSame((await put(`${field}/fields/f/value`, 'v')).json, {
    status: 'stored',
    name: fieldName,
    field: 'f',
    version: 1,
  });
  t.match(await read(field), { metadata: {}, fields: { f: 'v' }, field_count: 1 });
});

t.test('values.put > whatever the Content-Type > the bytes are the value', async (t) => {
  const body = '{"value":"v"}';
  for (const type of [
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain; charset=utf-16',
  ]) {
    const target = fresh();
    const { status } = await daemon.ask('PUT', `${target}/value`, {
      body,
      headers: { 'Content-Type': type },
    });
    t.strictSame([status, (await read(target)).value], [201, body], type);
  }
});

t.test('values.put > an empty body, or none > 400 and nothing stored', async (t) => {
  for (const path of ['/value', '/fields/f/value']) {
    for (const body of ['', undefined]) {
      const target = fresh();
      isError(t, await daemon.ask('PUT', `${target}${path}`, { body }), 400, path);
      isError(t, await daemon.ask('GET', target), 404, 'nothing was stored');
    }
  }
  const connection = await RawConnection.open(daemon.socket);
  connection.write(
    `PUT ${fresh()}/value HTTP/1.1\r\nAuthorization: Bearer ${daemon.admin}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  );
  t.equal((await connection.waitFor(1))[0]?.status, 400, 'chunked');
  connection.close();
});

t.test('values.put > If-Match, If-None-Match > only if they hold', async (t) => {
  for (const path of ['/value', '/fields/f/value']) {
    const target = fresh();
    const send = (body: string, headers: Record<string, string>) =>
      daemon.ask('PUT', `${target}${path}`, { body, headers });
    isError(t, await send('0', { 'If-Match': '*' }), 412, 'not there');
    t.equal((await send('1', { 'If-None-Match': '*' })).status, 201);
    isError(t, await send('2', { 'If-None-Match': '*' }), 412, 'there');
    const { etag = '' } = (await daemon.ask('GET', target)).headers;
    t.equal((await send('3', { 'If-Match': etag })).status, 201);
    isError(t, await send('4', { 'If-Match': etag }), 412, 'changed since');
    t.equal((await readBytes(`${target}${path}`)).toString(), '3');
  }
});

t.test('values > names of path segments > are names like any other', async (t) => {
  for (const name of ['value', 'rename', 'fields', 'a%2Fvalue']) {
    await put(`/v1/secrets/${name}/value`, name);
    await put(`/v1/secrets/${name}/fields/value/value`, 'f');
    t.match(await read(`/v1/secrets/${name}`), { value: name, fields: { value: 'f' } });
  }
});

const BAD_BASE64: readonly (readonly [condition: string, body: object, names: string])[] = [
  ['no padding', { value: 'eA', encoding: 'base64' }, '"value"'],
  ['too much padding', { value: 'eA===', encoding: 'base64' }, '"value"'],
  ['padding only', { value: '====', encoding: 'base64' }, '"value"'],
  ['unused bits', { value: 'eB==', encoding: 'base64' }, '"value"'],
  ['a line break', { value: 'eHh4\neHh4', encoding: 'base64' }, '"value"'],
  ['white space around it', { value: ' eHh4 ', encoding: 'base64' }, '"value"'],
  ['the letters of URLs', { value: '_-8=', encoding: 'base64' }, '"value"'],
  ['text', { value: 'canary!', encoding: 'base64' }, '"value"'],
  ['letters beyond ASCII', { value: 'éééé', encoding: 'base64' }, '"value"'],
  ['an empty value', { value: '', encoding: 'base64' }, '"value"'],
  ['another encoding', { value: 'eA==', encoding: 'hex' }, '"encoding"'],
  ['an encoding in capitals', { value: 'eA==', encoding: 'BASE64' }, '"encoding"'],
  ['an encoding that is a number', { value: 'eA==', encoding: 64 }, '"encoding"'],
  ['an empty encoding', { value: 'eA==', encoding: '' }, '"encoding"'],
];

t.test('base64 > what is none > 400 that names the member, and nothing stored', async (t) => {
  for (const [condition, body, names] of BAD_BASE64) {
    const target = fresh();
    await put(target, { value: 'kept' });
    const answers = await Promise.all([
      daemon.ask('PUT', target, { body }),
      daemon.ask('PATCH', target, { body }),
      daemon.ask('PUT', `${target}/fields/f`, { body }),
      daemon.ask('PUT', `${target}/fields`, { body: { fields: { good: 'g', f: body } } }),
    ]);
    for (const answer of answers) {
      isError(t, answer, 400, condition);
      t.ok(answer.json.error.includes(names), `${condition}: ${answer.json.error}`);
      t.notOk(answer.text.includes('canary'));
    }
    const { value, field_count: fields } = await read(target);
    t.strictSame([value, fields], ['kept', undefined], condition);
  }
  const answer = await daemon.ask('PATCH', '/v1/secrets/subject-1', { body: { encoding: 'base64' } });
  isError(t, answer, 400, 'an encoding of nothing');
});
