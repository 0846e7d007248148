/** Who presents many wrong tokens waits longer and longer for each refusal; whoever has a good one does not wait. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { GuessCount, GuessLimit } from '../src/auth/limits.ts';
import { hashToken, Principals } from '../src/auth/principals.ts';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import type { PrincipalRow } from '../workers/messages.ts';
import { isError } from './fixtures/answers.ts';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';

const MAX_DELAY_MS = 5_000;
const guess = (kind = 'mvt') => `${kind}_${randomBytes(32).toString('hex')}`;

/** The delays of so many guesses, each made when the one before was refused. */
function makeGuesses(count: GuessCount, amount: number, startMs = 0): { delays: number[]; endMs: number } {
  let endMs = startMs;
  const delays = Array.from({ length: amount }, () => {
    const delayMs = count.add(endMs);
    endMs += delayMs;
    return delayMs;
  });
  return { delays, endMs };
}

t.test(
  'guess > one after the other > at once at first, then each later, never by more than 5 s',
  async (t) => {
    const { delays } = makeGuesses(new GuessCount(), 300);
    t.ok(
      delays.slice(0, 20).every((delay) => delay === 0),
      'some old token is no attack',
    );
    const grows = delays
      .slice(20)
      .every((delay, index, all) => index === 0 || delay >= (all[index - 1] ?? 0));
    t.ok(grows && (delays[20] ?? 0) > 0 && (delays[150] ?? 0) > 1_000);
    t.strictSame([Math.max(...delays), delays.at(-1)], [MAX_DELAY_MS, MAX_DELAY_MS]);
  },
);

t.test('guess > all at once > the same delays', async (t) => {
  const atOnce = new GuessCount();
  const { delays } = makeGuesses(new GuessCount(), 300);
  t.strictSame(
    Array.from({ length: 300 }, () => atOnce.add(0)),
    delays,
  );
});

t.test('guess > after a while without one > as if there had been fewer, or none', async (t) => {
  const count = new GuessCount();
  const { delays, endMs } = makeGuesses(count, 100);
  const last = delays.at(-1) ?? 0;
  t.ok(count.add(endMs + 2_000) < last, 'after 2 s');
  const { endMs: later } = makeGuesses(count, 1_000, endMs + 2_000);
  t.equal(count.add(later + 60_000), 0, 'after a minute, however many there were');
});

t.test('guess > the daemon stops, or somebody else may ask > nobody is held back', async (t) => {
  const reports: string[] = [];
  const limit = new GuessLimit((detail) => reports.push(detail));
  const nobodyGoes = () => {};
  const flood = () => Promise.all(Array.from({ length: 200 }, () => limit.holdBack(nobodyGoes)));
  const held = flood();
  limit.forget();
  t.equal(await limit.holdBack(nobodyGoes), true, 'as at first');
  t.equal(reports.length, 1, 'one line in the log for all of them');
  limit.end();
  t.ok((await held).every((isHeld) => isHeld));
  t.ok((await flood()).every((isHeld) => isHeld));
});

t.test('guess > too many are held back > those are refused at once, the others when they go', async (t) => {
  const limit = new GuessLimit(() => {});
  const leave: (() => void)[] = [];
  const holdBack = () => limit.holdBack((listener) => leave.push(listener));
  const held: Promise<boolean>[] = [];
  while (leave.length < 1_000) held.push(holdBack());
  t.equal(await holdBack(), false);
  leave[0]?.();
  const next = holdBack();
  t.equal(leave.length, 1_001, 'one that went makes room for another');
  for (const go of leave) go();
  t.ok((await Promise.all([...held, next])).every((isHeld) => isHeld));
});

t.test('principals.authenticate > a hash that begins like a real one > nobody', async (t) => {
  const [real, other] = [guess(), guess()];
  const row = { id: 'a', scopes: ['read'], expiresAt: null } as const;
  const find = (tokenHash: string) => {
    const principals = new Principals(null);
    principals.apply({ kind: 'grant', row: { ...row, tokenHash } satisfies PrincipalRow });
    return principals.authenticate(`Bearer ${real}`, 0);
  };
  const hash = hashToken(real);
  t.match(find(hash), { id: 'a' });
  for (const shared of [0, 32, 62])
    t.equal(find(hash.slice(0, shared) + hashToken(other).slice(shared)), null);
});

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

t.test('daemon > attacked with wrong tokens', async (t) => {
  const daemon = await startDaemon(t);
  const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket)) ?? '';
  const kept = await RawConnection.open(daemon.socket);
  const connections = await attack(daemon);
  await waitUntil(() => countAnswered(connections) > 20);
  const elapsed = () => performance.now() - startedAt;
  const startedAt = performance.now();

  await t.test('a good token > answered at once, on new connections and old ones', async (t) => {
    for (const token of [daemon.admin, session])
      t.match(await daemon.ask('GET', '/v1/info', { token }), { status: 200 });
    kept.write(request(daemon.admin, 'kept'));
    t.match(await kept.waitFor(1), [{ status: 200 }]);
    t.ok(elapsed() < 1_000);
  });

  await t.test('no token, or what is none > refused at once', async (t) => {
    for (const token of [null, 'mvt_', 'x'])
      isError(t, await daemon.ask('GET', '/v1/info', { token }), 401, 'none');
    t.ok(elapsed() < 1_000);
    t.ok(countAnswered(connections) < 200, 'while others are held back');
  });

  await t.test('a client that leaves > is not waited for', async (t) => {
    const last = connections.findLastIndex((connection) => connection.answers().length === 0);
    const line = () => daemon.log().find(({ request_id }) => request_id === `g${last}`);
    t.equal(line(), undefined, 'held back');
    connections[last]?.close();
    await waitUntil(() => line() !== undefined);
    t.match(line(), { status: 401, token_id: null });
    t.ok(line().duration_ms < MAX_DELAY_MS - 1_000, 'less than its delay');
  });

  await t.test('the log > says so once, without a token', async (t) => {
    const lines = daemon.log().filter(({ event }) => event === 'guessing');
    t.match(lines, [{ level: 40, detail: /^many wrong tokens/ }]);
    t.equal(lines.length, 1);
  });

  await t.test('while it is sealed > a session token can be wrong, no other', async (t) => {
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
  });

  await t.test('told to stop > the refusals go out, and it ends', async (t) => {
    await daemon.ask('POST', '/v1/unseal', { token: session });
    const late = await attack(daemon);
    await waitUntil(() => countAnswered(late) > 20);
    const stoppedAt = performance.now();
    t.match(await daemon.stop(), { code: 0 });
    t.ok(performance.now() - stoppedAt < 4_000);
    t.ok(late.every((connection) => connection.answers()[0]?.status === 401));
  });
});
