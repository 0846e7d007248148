/**
 * Guessing tokens: how long a refusal takes tells nothing about a token, each takes longer than the one before, and the
 * owner is answered as if nobody guessed.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { hashToken, Principals } from '../../src/auth/principals.ts';
import { connect, type VaultClient } from '../../src/client/index.ts';
import { locateSessionToken, readSessionToken } from '../../src/places/session-token.ts';
import { type Daemon, startDaemon } from '../fixtures/daemon.ts';
import type { Guessed, GuesserOptions } from '../fixtures/guesser.ts';
import { RawConnection } from '../fixtures/raw.ts';
import { finished } from '../fixtures/vault.ts';

const GUESSER = new URL('../fixtures/guesser.ts', import.meta.url).pathname;
const TOKEN_DIGITS = 64;
/** How many hex digits a guess has in common with a real token. */
const SHARED = [0, 32, 62] as const;
const TOLERANCE = 0.1;

const randomDigits = (length: number) => randomBytes(length / 2).toString('hex');

/** A guess that begins as the token does; never the token. */
function shareDigits(token: string, shared: number): string {
  const guess = `mvt_${token.slice(4, 4 + shared)}${randomDigits(TOKEN_DIGITS - shared)}`;
  return guess === token ? shareDigits(token, shared) : guess;
}

function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
const median = (samples: readonly number[]) => quantile(samples, 0.5);

/** The medians of what takes as long as it takes, by how much a guess shares with a real token. */
type Medians = readonly [none: number, half: number, nearlyAll: number];

/** By how much the largest is above the smallest. */
const spread = (medians: Medians) => Math.max(...medians) / Math.min(...medians) - 1;

/** Times of `find` for guesses, in µs, taken in turn so that what else the machine does hits all alike. */
function timeFinds(find: (guess: string) => unknown, tokens: readonly string[]): Medians {
  const samples: number[][] = SHARED.map(() => []);
  const batchSize = 50;
  for (let round = 0; round < 3_000; round++) {
    const token = tokens[round % tokens.length] ?? '';
    for (const index of rotate(round)) {
      const guesses = Array.from({ length: batchSize }, () => shareDigits(token, SHARED[index] ?? 0));
      const startedAt = process.hrtime.bigint();
      for (const guess of guesses) find(guess);
      samples[index]?.push(Number(process.hrtime.bigint() - startedAt) / 1_000 / batchSize);
    }
  }
  return samples.map(median) as unknown as Medians;
}

/** The indexes of SHARED, each as often first as the others. */
const rotate = (round: number) => SHARED.map((_, index) => (index + round) % SHARED.length);

const describe = (medians: Medians, unit: string) =>
  SHARED.map((shared, index) => `${shared}: ${medians[index]?.toFixed(2)} ${unit}`).join(', ');

t.test(
  'principals.authenticate > guesses that share 0, 32, 62 digits with a token > take equally long',
  async (t) => {
    const tokens = Array.from({ length: 500 }, () => `mvt_${randomDigits(TOKEN_DIGITS)}`);
    const principals = new Principals(null);
    for (const [index, token] of tokens.entries()) {
      const row = { id: `${index}`, scopes: ['read'] as const, expiresAt: null, tokenHash: hashToken(token) };
      principals.apply({ kind: 'grant', row });
    }
    // Not measured: the compiler has to see it often first.
    timeFinds((guess) => principals.authenticate(`Bearer ${guess}`, 0), tokens);
    const medians = timeFinds((guess) => principals.authenticate(`Bearer ${guess}`, 0), tokens);
    t.comment(`figure: finding no principal, by digits shared: ${describe(medians, 'us')}`);
    t.ok(spread(medians) < TOLERANCE, `differs by ${spread(medians)}`);

    const [only = ''] = tokens;
    const findSlowly = (guess: string) => {
      for (let at = 0; at < only.length; at++) if (guess[at] !== only[at]) return false;
      return true;
    };
    const leaking = timeFinds(findSlowly, [only]);
    t.comment(`figure: the same of a comparison digit by digit: ${describe(leaking, 'us')}`);
    t.ok(
      spread(leaking) > 2 * TOLERANCE,
      'this measurement tells a comparison that stops at the first difference',
    );
  },
);

const request = (token: string) => `GET /v1/info HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n\r\n`;

/** One connection that asks and waits, many times over; so its answers are dropped as they come. */
class Asker {
  readonly #connection: RawConnection;
  #answered: (text: string) => void = () => {};

  private constructor(connection: RawConnection) {
    this.#connection = connection;
    connection.socket.removeAllListeners('data').on('data', (text) => this.#answered(String(text)));
  }

  static async open(daemon: Daemon): Promise<Asker> {
    return new Asker(await RawConnection.open(daemon.socket));
  }

  /** The status, and milliseconds until it came. */
  async ask(token: string): Promise<{ status: number; ms: number }> {
    const startedAt = performance.now();
    const text = await new Promise<string>((resolve) => {
      this.#answered = resolve;
      this.#connection.write(request(token));
    });
    return { status: Number(text.slice(9, 12)), ms: performance.now() - startedAt };
  }

  close(): void {
    this.#connection.close();
  }
}

const readSession = (daemon: Daemon) => readSessionToken(locateSessionToken(daemon.env, daemon.socket)) ?? '';

t.test('401 > guesses that share 0, 32, 62 digits with a token > take equally long', async (t) => {
  const daemon = await startDaemon(t);
  const session = readSession(daemon);
  const { token } = await daemon.createToken(['admin']);
  const asker = await Asker.open(daemon);
  const samples: number[][] = SHARED.map(() => []);
  const statuses = new Set<number>();
  for (let round = 0; round < 300; round++) {
    // Nothing is held back in such a round: sealing and unsealing forgets the guesses before.
    for (const path of ['/v1/seal', '/v1/unseal']) await daemon.ask('POST', path, { token: session });
    await asker.ask(token);
    for (let turn = 0; turn < 6; turn++) {
      for (const index of rotate(round + turn)) {
        const { status, ms } = await asker.ask(shareDigits(token, SHARED[index] ?? 0));
        statuses.add(status);
        samples[index]?.push(ms * 1_000);
      }
    }
  }
  asker.close();
  t.strictSame([...statuses], [401]);
  const medians = samples.map(median) as unknown as Medians;
  t.comment(`figure: a refusal, by digits shared: ${describe(medians, 'us')} (${samples[0]?.length} each)`);
  t.ok(spread(medians) < TOLERANCE, `differs by ${spread(medians)}`);
});

t.test('401 > one guess after the other > each later than the one before, until 5 s', async (t) => {
  const daemon = await startDaemon(t);
  const asker = await Asker.open(daemon);
  const times: number[] = [];
  for (let index = 0; index < 120; index++) times.push((await asker.ask(shareDigits('', 0))).ms);
  asker.close();
  const tens = Array.from({ length: 12 }, (_, index) => median(times.slice(index * 10, index * 10 + 10)));
  t.comment(`figure: medians of ten guesses each: ${tens.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  const growing = tens.slice(2);
  t.ok((tens[1] ?? 0) < 5, 'the first twenty at once');
  t.ok(
    growing.every((ms, index) => index === 0 || ms > (growing[index - 1] ?? 0)),
    'growing',
  );
  // All at once, to get there sooner.
  const many = await Promise.all(Array.from({ length: 200 }, () => Asker.open(daemon)));
  const late = await Promise.all(many.map(async (one) => (await one.ask(shareDigits('', 0))).ms));
  for (const one of many) one.close();
  t.comment(`figure: the latest of ${times.length + many.length} took ${Math.round(Math.max(...late))} ms`);
  t.ok(Math.max(...late) >= 5_000 && Math.max(...late) < 6_500);
});

interface Owner {
  readonly kept: readonly number[];
  readonly anew: readonly number[];
}

/** The owner's requests until `isOver`, one after the other, with this program's own client: on a kept connection and on new ones. */
async function askAsOwner(daemon: Daemon, isOver: () => boolean): Promise<Owner> {
  const times: { kept: number[]; anew: number[] } = { kept: [], anew: [] };
  const open = () => connect({ token: daemon.admin, socketPath: daemon.socket });
  const time = async (client: VaultClient) => {
    const startedAt = performance.now();
    await client.info();
    return performance.now() - startedAt;
  };
  const kept = open();
  await kept.info();
  while (!isOver()) {
    times.kept.push(await time(kept));
    const one = open();
    times.anew.push(await time(one));
    one.close();
  }
  kept.close();
  return times;
}

async function during(ms: number, run: (isOver: () => boolean) => Promise<Owner>): Promise<Owner> {
  const endAt = performance.now() + ms;
  return run(() => performance.now() >= endAt);
}

async function attack(t: Test, daemon: Daemon, options: Omit<GuesserOptions, 'socketPath'>) {
  const argument = JSON.stringify({ socketPath: daemon.socket, ...options });
  const child = spawn(process.execPath, [GUESSER, argument], { env: daemon.env });
  t.teardown(() => child.kill('SIGKILL'));
  let isOver = false;
  const ended = finished(child).finally(() => (isOver = true));
  const owner = await askAsOwner(daemon, () => isOver);
  const { code, stdout, stderr } = await ended;
  if (code !== 0) throw new Error(`the guesser ended with ${code}: ${stderr}`);
  return { owner, guessed: JSON.parse(stdout) as Guessed };
}

const DURATION_MS = 12_000;

/** How the owner fares before and while somebody guesses. */
async function compare(t: Test, options: Omit<GuesserOptions, 'socketPath' | 'durationMs'>) {
  const daemon = await startDaemon(t);
  const before = await during(3_000, (isOver) => askAsOwner(daemon, isOver));
  const { owner, guessed } = await attack(t, daemon, { ...options, durationMs: DURATION_MS });
  const perSecond = (guesses: number) => Math.round(guesses / (DURATION_MS / 1_000));
  t.comment(
    `figure: ${options.connections} connections that ${options.manner}: ${perSecond(guessed.sent)} guesses/s, ${perSecond(guessed.refused)} answers/s`,
  );
  for (const [what, now, then] of [
    ['kept', owner.kept, before.kept],
    ['new', owner.anew, before.anew],
  ] as const) {
    t.comment(
      `figure: the owner meanwhile, ${what} connection: p50 ${median(now).toFixed(2)} ms (before ${median(then).toFixed(2)}), p99 ${quantile(now, 0.99).toFixed(1)} ms, longest ${Math.max(...now).toFixed(0)} ms, ${now.length} requests`,
    );
    t.ok(Math.max(...now) < 1_000, `${what}: each within a second`);
    t.ok(median(now) < 50, `${what}: nothing of the 5 s that a guess waits`);
  }
  t.equal(guessed.others, 0, 'every guess was refused as one');
  const lines = daemon.log().filter(({ event }) => event === 'guessing');
  t.equal(lines.length, 1, 'one line in the log says that somebody guesses');
  return { guessed, perSecond };
}

t.test('owner > while others guess and wait for each answer > undelayed, and they are slowed', async (t) => {
  const { guessed, perSecond } = await compare(t, { connections: 300, manner: 'wait' });
  t.ok(perSecond(guessed.refused) < 100, 'a guess every 5 s on each, but for the first');
});

t.test('owner > while others guess without waiting, thousands a second > undelayed', async (t) => {
  const { guessed, perSecond } = await compare(t, { connections: 60, manner: 'leave' });
  t.ok(perSecond(guessed.sent) > 1_000, 'thousands');
});

t.test('owner > while others send many guesses at once > undelayed, and they are slowed', async (t) => {
  const { guessed, perSecond } = await compare(t, { connections: 9, manner: 'pipeline' });
  t.ok(perSecond(guessed.refused) < 300);
});

t.test(
  'owner > while more guess than are held back > undelayed, and they have to connect again',
  async (t) => {
    const { guessed, perSecond } = await compare(t, { connections: 1_100, manner: 'wait' });
    t.ok(perSecond(guessed.refused) > 500);
    t.ok(guessed.ended > guessed.refused / 2);
  },
);
