/** The delays of refusals: a client with many wrong tokens waits longer and longer for each. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { GuessCount, GuessLimit } from '../src/auth/limits.ts';
import { hashToken, Principals } from '../src/auth/principals.ts';
import type { PrincipalRow } from '../workers/messages.ts';

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
