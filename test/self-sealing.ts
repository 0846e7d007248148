/** When a vault seals itself, on clocks that the tests set. */
import t, { type Test } from 'tap';
import { type SealingRules, SelfSealing } from '../src/daemon/self-sealing.ts';
import type { Problem } from '../src/remedies.ts';

const MINUTE_MS = 60_000;
const RULES: SealingRules = {
  idleMs: 15 * MINUTE_MS,
  maxUnsealedMs: 60 * MINUTE_MS,
  on: [],
  mayUnseal: true,
};

/** A vault that was unsealed now, on a machine that is awake unless it sleeps. */
function startSealing(t: Test, rules: Partial<SealingRules> = {}) {
  const at = { boot: 1_000, awake: 500, wall: Date.parse('2026-11-30T12:00:00Z') };
  const vault = { because: null as Problem | null, isBusy: false, unsealings: 0 };
  const sealing: SelfSealing = new SelfSealing(
    { ...RULES, ...rules },
    {
      findSealed: () => vault.because,
      isBusy: () => vault.isBusy,
      seal: async (because) => {
        vault.because = because;
      },
      unseal: async () => {
        vault.unsealings += 1;
        vault.because = null;
        sealing.noteUnsealed();
      },
    },
    { bootMs: () => at.boot, awakeMs: () => at.awake, wallMs: () => at.wall },
  );
  t.teardown(() => sealing.end());
  const sleep = (minutes: number) => {
    at.boot += minutes * MINUTE_MS;
    at.wall += minutes * MINUTE_MS;
  };
  /** The timer looks once a second. */
  const stayAwake = (minutes: number) => {
    for (let second = 0; second < minutes * 60; second++) {
      sleep(1 / 60);
      at.awake += 1_000;
      sealing.look();
    }
  };
  return { at, vault, sealing, sleep, stayAwake };
}

t.test('look > no secret is asked for > sealed after idle_seal, counted from the last use', async (t) => {
  const { vault, sealing, stayAwake } = startSealing(t);
  stayAwake(10);
  sealing.noteUse();
  stayAwake(14.9);
  t.equal(vault.because, null);
  stayAwake(0.2);
  t.same(vault.because, {
    reason: 'sealed',
    message: 'the vault sealed itself, because no secret was asked for in 15m',
  });
});

t.test('look > used all the time > sealed after max_unsealed', async (t) => {
  const { vault, sealing, stayAwake } = startSealing(t);
  for (let minute = 0; minute < 59; minute++) {
    sealing.noteUse();
    stayAwake(1);
  }
  t.equal(vault.because, null);
  stayAwake(1.1);
  t.equal(vault.because?.message, 'the vault sealed itself 1h after it was unsealed');
});

t.test('look > a long request is under way > counts as use, and not against max_unsealed', async (t) => {
  const { vault, stayAwake } = startSealing(t);
  vault.isBusy = true;
  stayAwake(59);
  t.equal(vault.because, null);
  stayAwake(1.1);
  t.match(vault.because?.message, '1h after');
});

t.test('lookIfLate > the machine was suspended > sealed before the first request', async (t) => {
  const { vault, sealing, sleep, stayAwake } = startSealing(t, { maxUnsealedMs: null });
  stayAwake(1);
  sealing.noteUse();
  sleep(20);
  t.equal(vault.because, null, 'the timer has not gone off');
  sealing.lookIfLate();
  t.match(vault.because?.message, 'no secret was asked for in 15m', 'although one was, in the last second');
});

t.test('lookIfLate > the time of day was set > nothing is sealed', async (t) => {
  const { at, vault, sealing } = startSealing(t);
  for (const hours of [48, -96]) {
    at.wall += hours * 60 * MINUTE_MS;
    sealing.lookIfLate();
    t.equal(vault.because, null);
  }
});

t.test('unsealAgain > many requests at once > one unsealing, and both times begin again', async (t) => {
  const { vault, sealing, stayAwake } = startSealing(t);
  stayAwake(15);
  t.match(vault.because?.message, 'sealed itself');
  await Promise.all([1, 2, 3].map(() => sealing.unsealAgain(vault.because)));
  t.same([vault.because, vault.unsealings], [null, 1]);
  stayAwake(14.9);
  t.equal(vault.because, null);
});

t.test('unsealAgain > sealed by somebody, or not permitted > stays sealed', async (t) => {
  const { vault, sealing, stayAwake } = startSealing(t);
  stayAwake(15);
  await sealing.unsealAgain({ reason: 'sealed', message: 'the vault is sealed' });
  t.equal(vault.unsealings, 0, 'somebody sealed it after it had sealed itself');
  const other = startSealing(t, { mayUnseal: false });
  other.stayAwake(15);
  await other.sealing.unsealAgain(other.vault.because);
  t.equal(other.vault.unsealings, 0);
});

t.test('hear > suspended or locked > sealed if the rules name it, whatever is under way', async (t) => {
  const { vault, sealing } = startSealing(t, { on: ['suspend', 'lock'] });
  sealing.hear('suspend');
  t.equal(vault.because?.message, 'the vault sealed itself, because the machine was suspended');
  vault.because = { reason: 'unsealing', message: 'the vault is being unsealed' };
  sealing.hear('lock');
  t.equal(vault.because?.message, 'the vault sealed itself, because the screen was locked');
  await sealing.unsealAgain(vault.because);
  t.equal(vault.unsealings, 0, 'the screen is still locked');
  sealing.hear('unlock');
  await sealing.unsealAgain(vault.because);
  t.same([vault.unsealings, vault.because], [1, null]);
  const owner: Problem = { reason: 'sealed', message: 'the vault is sealed' };
  vault.because = owner;
  sealing.hear('suspend');
  t.equal(vault.because, owner, 'sealed again, in case somebody is unsealing it, and for the same reason');
  const other = startSealing(t);
  other.sealing.hear('suspend');
  t.equal(other.vault.because, null);
});

t.test('findTimes > in use > the times of day at which it will seal', async (t) => {
  const { at, sealing, stayAwake } = startSealing(t);
  stayAwake(5);
  sealing.noteUse();
  t.same(sealing.findTimes(), { idleAtMs: at.wall + 15 * MINUTE_MS, latestAtMs: at.wall + 55 * MINUTE_MS });
  const { sealing: never } = startSealing(t, { idleMs: null, maxUnsealedMs: null });
  t.same(never.findTimes(), { idleAtMs: null, latestAtMs: null });
});
