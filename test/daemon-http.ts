/** The daemon's HTTP, byte by byte: what it refuses and how, in which order it answers, and how large a body may be. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { RawConnection, sendRaw } from './fixtures/raw.ts';
import { CHUNKED, chunk, HEALTH, isRefusal, VALUE, writeRequests } from './fixtures/raw-requests.ts';

const MAX_BODY_SIZE = 1_048_576;
const daemon = await startDaemon(t);
const { socket, admin } = daemon;
const { authorized: AUTHORIZED, put, withLength } = writeRequests(admin);
t.jobs = 8;

t.test(
  'request > not valid HTTP, or not the same to every reader > 400, and nothing is stored',
  async (t) => {
    const forms: Record<string, string> = {
      'no HTTP at all': 'hello\r\n\r\n',
      'an unknown method': 'FOO /v1/health HTTP/1.1\r\n\r\n',
      'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'a target that is no path': 'GET v1/health HTTP/1.1\r\n\r\n',
      'a raw byte in the path': 'GET /v1/secrets/\xe9 HTTP/1.1\r\n\r\n',
      'a control character in the path': 'GET /v1/secrets/\x7f HTTP/1.1\r\n\r\n',
      'a bare CR': 'GET /v1/health HTTP/1.1\rX: y\r\n\r\n',
      'a bare LF': 'GET /v1/health HTTP/1.1\nX: y\n\n',
      'a folded header': `${HEALTH}X-A: a\r\n b\r\n\r\n`,
      'a NUL in a header': `${HEALTH}X-A: a\0b\r\n\r\n`,
      'a space before the colon': put('smuggled', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
      'length and chunks': put('smuggled', `Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
      'chunks and length': put('smuggled', `${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n'),
      'two lengths': put('smuggled', 'Content-Length: 13\r\nContent-Length: 14\r\n', VALUE),
      'the same length twice': put('smuggled', 'Content-Length: 13\r\nContent-Length: 13\r\n', VALUE),
      'a list of lengths': put('smuggled', 'Content-Length: 13, 13\r\n', VALUE),
      'a length with a sign': put('smuggled', 'Content-Length: +13\r\n', VALUE),
      'a length beyond all numbers': put('smuggled', 'Content-Length: 99999999999999999999\r\n', VALUE),
      'another encoding': put('smuggled', 'Transfer-Encoding: gzip\r\n', VALUE),
      'chunks not last': put('smuggled', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
      CONNECT: `CONNECT localhost:80 HTTP/1.1\r\n${AUTHORIZED}\r\n`,
    };
    for (const [name, bytes] of Object.entries(forms)) {
      isRefusal(t, await sendRaw(socket, bytes), 400, 'bad_request', 'Bad Request');
      t.pass(name);
    }
    t.match(await daemon.ask('GET', '/v1/secrets/smuggled'), { status: 404 });
  },
);

t.test('request > the chunks of its body are malformed > 400, and nothing is stored', async (t) => {
  const bodies: Record<string, string> = {
    'no size': `${chunk(VALUE)}x\r\n`,
    'a bare LF': `d\n${VALUE}\n0\n\n`,
    'longer than it says': `c\r\n${VALUE}\r\n0\r\n\r\n`,
    'a size beyond all numbers': `ffffffffffffffffff\r\n${VALUE}`,
    'an endless extension': `d;${'x'.repeat(20_000)}\r\n${VALUE}\r\n0\r\n\r\n`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    const answer = await sendRaw(socket, put('malformed', CHUNKED, body));
    isRefusal(
      t,
      answer,
      answer?.status === 413 ? 413 : 400,
      answer?.status === 413 ? 'too_large' : 'bad_request',
      answer?.reason ?? '',
    );
    t.pass(name);
  }
  t.match(await daemon.ask('GET', '/v1/secrets/malformed'), { status: 404 });
});

t.test('request > headers or target too large > 431', async (t) => {
  const heads = [
    `${HEALTH}X-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    `${HEALTH}${Array.from({ length: 2_500 }, (_, index) => `X-${index}: a\r\n`).join('')}\r\n`,
    `GET /v1/${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
  ];
  for (const head of heads) {
    isRefusal(t, await sendRaw(socket, head), 431, 'headers_too_large', 'Request Header Fields Too Large');
  }
});

t.test('request > an unusual form that HTTP allows > served', async (t) => {
  const forms: Record<string, [bytes: string, status: number]> = {
    'HTTP/1.0': ['GET /v1/health HTTP/1.0\r\n\r\n', 200],
    'no Host': [`${HEALTH}\r\n`, 200],
    'absolute-form': ['GET http://localhost/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n', 200],
    'empty lines before it': [`\r\n\r\n${HEALTH}\r\n`, 200],
    'a body that nobody wants': [`${HEALTH}Content-Length: 3\r\n\r\nabc`, 200],
    'an upgrade': [`${HEALTH}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 200],
    'an upgrade to HTTP/2': [
      `${HEALTH}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
      200,
    ],
    'chunks with an extension and a trailer': [
      put('unusual', CHUNKED, `d;a=b\r\n${VALUE}\r\n0\r\nX-T: a\r\n\r\n`),
      201,
    ],
    'an unknown expectation': [withLength('unusual', VALUE, 'Expect: the-unexpected\r\n'), 201],
    OPTIONS: ['OPTIONS /v1/health HTTP/1.1\r\n\r\n', 405],
    'OPTIONS *': [`OPTIONS * HTTP/1.1\r\n${AUTHORIZED}\r\n`, 404],
    TRACE: ['TRACE /v1/health HTTP/1.1\r\n\r\n', 405],
    'a fragment': [`GET /v1/secrets/unusual#x HTTP/1.1\r\n${AUTHORIZED}\r\n`, 400],
    'a fragment in the query': [`GET /v1/secrets/unusual?env=#x HTTP/1.1\r\n${AUTHORIZED}\r\n`, 400],
  };
  for (const [name, [bytes, status]] of Object.entries(forms)) {
    const answer = await sendRaw(socket, bytes);
    t.match(answer, { status, headers: { 'cache-control': 'no-store', 'x-request-id': /./ } }, name);
    t.ok(JSON.parse(answer?.body ?? ''), 'JSON');
    if (status === 405) t.equal(answer?.headers.allow, 'GET, HEAD');
  }
});

t.test('HTTP/1.0 > answered > the connection is closed, unless it asks to be kept', async (t) => {
  const once = await RawConnection.open(socket);
  once.write('GET /v1/health HTTP/1.0\r\n\r\n');
  t.match(await once.waitForEnd(), [{ status: 200 }]);
  const kept = await RawConnection.open(socket);
  for (const count of [1, 2]) {
    kept.write('GET /v1/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    t.equal((await kept.waitFor(count)).length, count);
  }
  kept.close();
});

t.test('Expect: 100-continue > told to go on, and served', async (t) => {
  const connection = await RawConnection.open(socket);
  const seen = new Promise((resolve) => connection.socket.once('data', resolve));
  connection.write(put('expected', `Expect: 100-continue\r\nContent-Length: ${VALUE.length}\r\n`, ''));
  t.equal(await seen, 'HTTP/1.1 100 Continue\r\n\r\n');
  connection.write(VALUE);
  t.match(await connection.waitFor(1), [{ status: 201 }]);
  connection.close();
});

t.test(
  'Expect: 100-continue > no token, or a body that is too large > refused, and not told to go on',
  async (t) => {
    const withoutToken = (headers: string) => `PUT /v1/secrets/x HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
    const expecting = 'Expect: 100-continue\r\nContent-Length: ';
    const refused: readonly (readonly [request: string, status: number])[] = [
      [withoutToken(`${expecting}10\r\n`), 401],
      [withoutToken(`Connection: close\r\n${expecting}60000000\r\n`), 401],
      [put('expected', `${expecting}60000000\r\n`, ''), 413],
    ];
    for (const [request, status] of refused) {
      const connection = await RawConnection.open(socket);
      let shown = '';
      connection.socket.on('data', (text) => {
        shown += text;
      });
      connection.write(request);
      t.match(await connection.waitForEnd(), [{ status }]);
      t.match(shown, new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  },
);

t.test('pipelined > 100 requests of every pool in one write > answered in their order', async (t) => {
  const connection = await RawConnection.open(socket);
  const targets = ['PUT', 'GET', 'health', 'nothing'].flatMap((kind) =>
    Array.from({ length: 25 }, () => kind),
  );
  targets.sort(() => Math.random() - 0.5);
  const requests = targets.map((kind, index) => {
    const id = `X-Request-Id: order-${index}\r\n`;
    if (kind === 'PUT') return withLength('pipelined', VALUE, id);
    const path = kind === 'GET' ? 'secrets' : kind;
    return `GET /v1/${path} HTTP/1.1\r\n${AUTHORIZED}${id}\r\n`;
  });
  connection.write(requests.join(''));
  const answers = await connection.waitFor(requests.length);
  connection.close();
  t.same(
    answers.map(({ headers }) => headers['x-request-id']),
    targets.map((_, index) => `order-${index}`),
  );
});

t.test('malformed bytes > after requests that were complete > those get their answers first', async (t) => {
  for (const before of [1, 3]) {
    const connection = await RawConnection.open(socket);
    connection.write(`${withLength('complete', VALUE).repeat(before)}garbage\r\n\r\n`);
    const answers = await connection.waitForEnd();
    t.same(
      answers.map(({ status }) => status),
      [...Array(before).fill(201), 400],
    );
    isRefusal(t, answers.at(-1), 400, 'bad_request', 'Bad Request');
  }
  const connection = await RawConnection.open(socket);
  connection.write(withLength('complete', VALUE) + put('broken', CHUNKED, `${chunk(VALUE)}x\r\n`));
  const answers = await connection.waitForEnd();
  t.same(
    answers.map(({ status }) => status),
    [201, 400],
  );
});

t.test('keep-alive > after an error > the connection serves on', async (t) => {
  const connection = await RawConnection.open(socket);
  const steps: [bytes: string, status: number][] = [
    [`GET /v1/nothing HTTP/1.1\r\n${AUTHORIZED}\r\n`, 404],
    [withLength('kept', '{"value":'), 400],
    [`GET /v1/secrets HTTP/1.1\r\n\r\n`, 401],
    [withLength('kept', `"${'x'.repeat(MAX_BODY_SIZE)}"`), 413],
    [put('kept', CHUNKED, `${chunk('x'.repeat(MAX_BODY_SIZE))}${chunk('y')}${chunk('z')}0\r\n\r\n`), 413],
    [withLength('kept', VALUE), 201],
  ];
  for (const [index, [bytes, status]] of steps.entries()) {
    connection.write(bytes);
    t.equal((await connection.waitFor(index + 1)).at(-1)?.status, status);
  }
  connection.close();
});

t.test('body > as large as it may be, in many tiny chunks > stored whole; one byte more > 413', async (t) => {
  const value = randomBytes((MAX_BODY_SIZE - 12) / 2).toString('hex');
  const body = `{"value":"${value}"}`.padEnd(MAX_BODY_SIZE);
  const send = async (text: string) => {
    const connection = await RawConnection.open(socket);
    connection.write(put('tiny', CHUNKED, ''));
    const parts: string[] = [];
    for (let at = 0; at < text.length; at += 64) parts.push(chunk(text.slice(at, at + 64)));
    // Some thousand writes, so that the daemon gets to see them in many pieces.
    for (let at = 0; at < parts.length; at += 8) connection.write(parts.slice(at, at + 8).join(''));
    connection.write('0\r\n\r\n');
    const [answer] = await connection.waitFor(1);
    connection.close();
    return answer;
  };
  t.match(await send(body), { status: 201 });
  t.equal((await daemon.ask('GET', '/v1/secrets/tiny')).json.value === value, true);
  t.match(await send(`${body} `), { status: 413 });
});

t.test(
  'upload > refused before it has arrived, on a connection that ends with it > the client reads its answer',
  async (t) => {
    const body = 'x'.repeat(8 * MAX_BODY_SIZE);
    const headers = { Connection: 'close' };
    const cases: [target: string, token: string, status: number][] = [
      ['/v1/secrets/large', admin, 413],
      ['/v1/secrets/large', 'mvt_unknown', 401],
      ['/v1/nothing', admin, 404],
    ];
    for (const [target, token, status] of cases) {
      t.match(await daemon.ask('PUT', target, { token, body, headers }), { status });
      const chunked = { ...headers, 'Transfer-Encoding': 'chunked' };
      t.match(await daemon.ask('PUT', target, { token, body, headers: chunked }), { status });
    }
  },
);
