/** A daemon under attack by clients with wrong tokens: these wait for their refusals, and clients with a good one do not wait. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { isError } from './fixtures/answers.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';

const MAX_DELAY_MS = 5_000;
const guess = (kind = 'mvt') => `${kind}_${randomBytes(32).toString('hex')}`;

const request = (token: string, id: string, target = '/v1/info') =>
  `GET ${target} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nX-Request-Id: ${id}\r\n\r\n`;

/** Wrong tokens on as many connections, for what is there and what is not, until refusals are held back for seconds. */
async function attack(daemon: Daemon, kind = 'mvt'): Promise<RawConnection[]> {
  const connections = await Promise.all(Array.from({ length: 250 }, () => RawConnection.open(daemon.socket)));
  for (const [index, connection] of connections.entries())
    connection.write(request(guess(kind), `g${index}`, index % 2 === 0 ? '/v1/info' : '/v1/none'));
  return connections;
}

const countAnswered = (connections: readonly RawConnection[]) =>
  connections.filter((connection) => connection.answers().length > 0).length;

// Before any subtest: tap takes the whole to have ended when the last subtest has.
const daemon = await startDaemon(t);
const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket)) ?? '';
const kept = await RawConnection.open(daemon.socket);
const connections = await attack(daemon);
await waitUntil(() => countAnswered(connections) > 20);
const elapsed = () => performance.now() - startedAt;
const startedAt = performance.now();
/** Whether others are still waiting, unless this machine has taken too long to see it. */
const areHeldBack = () => countAnswered(connections) < 200 || elapsed() > MAX_DELAY_MS;

t.test(
  'attacked with wrong tokens > a good token > answered at once, on new connections and old ones',
  async (t) => {
    for (const token of [daemon.admin, session])
      t.match(await daemon.ask('GET', '/v1/info', { token }), { status: 200 });
    kept.write(request(daemon.admin, 'kept'));
    t.match(await kept.waitFor(1), [{ status: 200 }]);
    t.ok(areHeldBack(), 'while others are held back');
  },
);

t.test('attacked with wrong tokens > no token, or what is none > refused at once', async (t) => {
  for (const token of [null, 'mvt_', 'x'])
    isError(t, await daemon.ask('GET', '/v1/info', { token }), 401, 'none');
  t.ok(areHeldBack(), 'while others are held back');
});

t.test('attacked with wrong tokens > a client that leaves > is not waited for', async (t) => {
  const last = connections.findLastIndex((connection) => connection.answers().length === 0);
  const line = () => daemon.log().find(({ request_id }) => request_id === `g${last}`);
  t.equal(line(), undefined, 'held back');
  connections[last]?.close();
  await waitUntil(() => line() !== undefined);
  t.match(line(), { status: 401, token_id: null });
  t.ok(line().duration_ms < MAX_DELAY_MS - 1_000, 'less than its delay');
});

t.test('attacked with wrong tokens > the log > says so once, without a token', async (t) => {
  const lines = daemon.log().filter(({ event }) => event === 'guessing');
  t.match(lines, [{ level: 40, detail: /^many wrong tokens/ }]);
  t.equal(lines.length, 1);
});

t.test(
  'attacked with wrong tokens > while it is sealed > a session token can be wrong, no other',
  async (t) => {
    for (const connection of connections) connection.close();
    await daemon.ask('POST', '/v1/seal', { token: session });
    const sealedAt = performance.now();
    const tokens = await attack(daemon, 'mvt');
    await waitUntil(() => countAnswered(tokens) === tokens.length);
    t.ok(tokens.every((connection) => connection.answers()[0]?.status === 503));
    t.ok(performance.now() - sealedAt < MAX_DELAY_MS, 'none is held back');
    const sessions = await attack(daemon, 'mvs');
    await waitUntil(() => countAnswered(sessions) > 20);
    t.match(await daemon.ask('GET', '/v1/status', { token: session }), { status: 200 });
    t.ok(countAnswered(sessions) < 200, 'they are');
    for (const connection of [...tokens, ...sessions]) connection.close();
  },
);

t.test('attacked with wrong tokens > told to stop > the refusals go out, and it ends', async (t) => {
  await daemon.ask('POST', '/v1/unseal', { token: session });
  const late = await attack(daemon);
  await waitUntil(() => countAnswered(late) > 20);
  // What is asked after them is answered after they have arrived: none is still on its way.
  for (let asked = 0; asked < 2; asked++)
    t.match(await daemon.ask('GET', '/v1/health', { token: null }), { status: 200 });
  const stoppedAt = performance.now();
  t.match(await daemon.stop(), { code: 0 });
  t.ok(performance.now() - stoppedAt < 4_000);
  // The daemon has ended, and this process may not have read all that it sent.
  for (const connection of late) await connection.waitForEnd();
  t.ok(late.every((connection) => connection.answers()[0]?.status === 401));
});
