/**
 * Decides when the daemon seals its vault by itself: when no secret was asked for in so long, when the vault was unsealed so long
 * ago, when the machine is suspended and when the screen is locked. The times count the time in which the machine was suspended, which Node's timers do not.
 */
import { uptime } from 'node:os';
import type { Problem } from '../remedies.ts';
import { formatDuration } from '../text/durations.ts';
import type { SealingEvent } from './session/session-events.ts';

export interface SealingRules {
  /** How long no secret may be asked for; null: for ever. */
  readonly idleMs: number | null;
  /** How long the vault may be unsealed; null: for ever. */
  readonly maxUnsealedMs: number | null;
  /** What seals the vault at once. */
  readonly on: readonly SealingEvent[];
  /** Whether a request unseals a vault that was sealed by these rules. */
  readonly mayUnseal: boolean;
}

/** Why the vault was sealed: a key of config.json, or a value of `seal_on`. The audit log has it. */
export type SealingRule = 'idle_seal' | 'max_unsealed' | SealingEvent;

interface Means {
  /** Why the vault is sealed; null while it is unsealed. */
  readonly findSealed: () => Problem | null;
  /** Whether a long request is under way, which counts as use. */
  readonly isBusy: () => boolean;
  /** Seals at once, as requests see it. Resolves when no thread has the keys. */
  readonly seal: (because: Problem, rule: SealingRule) => Promise<unknown>;
  readonly unseal: () => Promise<unknown>;
}

/** Milliseconds on clocks that are never set back. */
interface Clocks {
  /** Goes on while the machine is suspended: CLOCK_BOOTTIME of clock_gettime(2). Reading it takes a system call. */
  readonly bootMs: () => number;
  /** Stops while the machine is suspended. */
  readonly awakeMs: () => number;
  /** The time of day, which may be set. */
  readonly wallMs: () => number;
}

const CLOCKS: Clocks = {
  bootMs: () => uptime() * 1_000,
  awakeMs: () => performance.now(),
  wallMs: () => Date.now(),
};

const LOOK_MS = 1_000;
/** If the time of day has moved by more since the last look, the machine was suspended or the clock was set. */
const GAP_MS = 2_000;

export class SelfSealing {
  readonly #rules: SealingRules;
  readonly #means: Means;
  readonly #clocks: Clocks;
  readonly #timer: NodeJS.Timeout;
  /** When the clocks were looked at last. */
  #looked: { readonly bootMs: number; readonly awakeMs: number; readonly wallMs: number };
  /** On the clock that stops. A use is later than the last look, or is 0 and noted already. */
  #usedAwakeMs = 0;
  #usedBootMs: number;
  #unsealedBootMs: number;
  /** Why the vault was sealed by these rules; null if it was not, or was unsealed since. */
  #because: Problem | null = null;
  #sealing: Promise<unknown> = Promise.resolve();
  #unsealing: Promise<unknown> | null = null;
  #isLocked = false;

  constructor(rules: SealingRules, means: Means, clocks = CLOCKS) {
    this.#rules = rules;
    this.#means = means;
    this.#clocks = clocks;
    this.#looked = this.#readClocks();
    this.#usedBootMs = this.#looked.bootMs;
    this.#unsealedBootMs = this.#looked.bootMs;
    this.#timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** The vault has been unsealed, by whomever. Both times begin again. */
  noteUnsealed(): void {
    this.#looked = this.#readClocks();
    this.#unsealedBootMs = this.#looked.bootMs;
    this.#usedBootMs = this.#looked.bootMs;
    this.#usedAwakeMs = 0;
    this.#because = null;
  }

  /** A secret was asked for. */
  noteUse(): void {
    this.#usedAwakeMs = this.#clocks.awakeMs();
  }

  /** Seals the vault if its time is over, also before the timer has gone off. Called with each request, so it must be cheap. */
  lookIfLate(): void {
    if (Math.abs(this.#clocks.wallMs() - this.#looked.wallMs) > GAP_MS) this.look();
  }

  /** Seals the vault if its time is over. */
  look(): void {
    const before = this.#looked;
    this.#looked = this.#readClocks();
    const nowMs = this.#looked.bootMs;
    if (this.#means.isBusy()) this.#usedBootMs = nowMs;
    // The machine may have been suspended after the use, but not between the last look and the use: lookIfLate came first.
    else if (this.#usedAwakeMs > 0) this.#usedBootMs = before.bootMs + this.#usedAwakeMs - before.awakeMs;
    this.#usedAwakeMs = 0;
    const rule = this.#findOver(nowMs);
    if (rule !== null && this.#means.findSealed() === null) this.#seal(rule);
  }

  /** Seals the vault if the rules name the event, also a vault that is just being unsealed. Resolves when it is sealed. */
  async hear(event: SealingEvent | 'unlock'): Promise<void> {
    if (event !== 'suspend') this.#isLocked = event === 'lock';
    if (event === 'unlock' || !this.#rules.on.includes(event)) return;
    const because = this.#means.findSealed();
    if (because === null || because.reason === 'unsealing') this.#seal(event);
    // Whoever has sealed it before, for whatever reason: an unsealing that is under way must not end well. If these rules have
    // sealed it, none is: desktops tell of one locking in several ways.
    else if (because !== this.#because) this.#sealing = this.#means.seal(because, event);
    await this.#sealing;
  }

  #seal(rule: SealingRule): void {
    this.#because = { reason: 'sealed', message: this.#describe(rule) };
    this.#sealing = this.#means.seal(this.#because, rule);
  }

  /**
   * Unseals for a request, if the rules permit it, the vault was sealed by them and the screen is not locked. `because`: why the vault is sealed. An
   * unsealing that fails gives another reason, so it is not tried again.
   */
  async unsealAgain(because: Problem | null): Promise<void> {
    if (!this.#rules.mayUnseal || this.#isLocked || because === null || because !== this.#because) return;
    this.#unsealing ??= this.#sealing.then(() => this.#means.unseal());
    await this.#unsealing;
    this.#unsealing = null;
  }

  /** Returns when the vault will be sealed, in milliseconds of the time of day; null: never by this rule. */
  findTimes(): { readonly idleAtMs: number | null; readonly latestAtMs: number | null } {
    const { idleMs, maxUnsealedMs } = this.#rules;
    const { awakeMs, bootMs, wallMs } = this.#looked;
    const usedMs = this.#usedAwakeMs > 0 ? bootMs + this.#usedAwakeMs - awakeMs : this.#usedBootMs;
    const toWallMs = wallMs - bootMs;
    return {
      idleAtMs: idleMs === null ? null : usedMs + idleMs + toWallMs,
      latestAtMs: maxUnsealedMs === null ? null : this.#unsealedBootMs + maxUnsealedMs + toWallMs,
    };
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #readClocks() {
    const { bootMs, awakeMs, wallMs } = this.#clocks;
    return { bootMs: bootMs(), awakeMs: awakeMs(), wallMs: wallMs() };
  }

  #findOver(nowMs: number): SealingRule | null {
    const { idleMs, maxUnsealedMs } = this.#rules;
    if (maxUnsealedMs !== null && nowMs - this.#unsealedBootMs >= maxUnsealedMs) return 'max_unsealed';
    return idleMs !== null && nowMs - this.#usedBootMs >= idleMs ? 'idle_seal' : null;
  }

  #describe(rule: SealingRule): string {
    const { idleMs, maxUnsealedMs } = this.#rules;
    if (rule === 'suspend') return 'the vault sealed itself, because the machine was suspended';
    if (rule === 'lock') return 'the vault sealed itself, because the screen was locked';
    return rule === 'idle_seal'
      ? `the vault sealed itself, because no secret was asked for in ${formatDuration(idleMs ?? 0)}`
      : `the vault sealed itself ${formatDuration(maxUnsealedMs ?? 0)} after it was unsealed`;
  }
}
