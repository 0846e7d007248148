/**
 * Whether the vault is sealed, as the request thread sees it, and what keeps that true when worker threads die: a vault
 * that says sealed has no keys in any thread, and one that says unsealed has them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, ControlOperation, Failure } from '../../workers/messages.ts';
import type { CallResult } from '../call-result.ts';
import { within } from '../deadline.ts';
import { NO_WORKER, PROGRAM_REPLACED, WORKER_DIED } from '../pool/batch.ts';
import { API, adviseOn, type Problem } from '../remedies.ts';

const STARTING: Problem = { reason: 'unsealing', message: 'the vault is being unsealed' };
const SEALED: Problem = { reason: 'sealed', message: 'the vault is sealed' };
const RESUMING: Problem = {
  reason: 'unsealing',
  message: 'the worker threads died and the vault is being unsealed again',
};
const DIED_UNSEALING: Failure = {
  ok: false,
  code: 'sealed',
  reason: 'keys_lost',
  message: 'the worker thread that was unsealing the vault died',
};

const UNSEAL_ATTEMPTS = 2;
const SEAL_ATTEMPTS = 5;
const RETRY_DELAY_MS = 200;
/** The writer gives the readers 3 s of it to let go of the keys. */
const SEAL_MS = 4_000;
const STUCK: Failure = {
  ok: false,
  code: 'busy',
  message:
    'a thread is stuck and cannot let go of the keys of the vault; mav serve ends itself now, and they are gone with it',
};
/** How long requests wait for a vault that is being unsealed again. */
const RESUME_PATIENCE_MS = 500;

/** Told what the log should say. */
export type Report = (event: string, detail: string) => void;

/** Runs an operation on the vault's own state; never rejects. */
type Control = (call: Call) => Promise<CallResult>;

interface Means {
  readonly control: Control;
  readonly report: Report;
  readonly apply: (result: CallResult) => void;
  readonly replaceThreads: () => Promise<boolean>;
}

export class VaultState {
  readonly #control: Control;
  readonly #report: Report;
  readonly #apply: (result: CallResult) => void;
  readonly #replaceThreads: () => Promise<boolean>;
  /** Why the vault is sealed; null while it is unsealed. Only this class writes it. */
  sealedBecause: Problem | null = STARTING;
  /** Settles when the unsealing under way has ended; requests wait for it instead of failing. */
  #unsealing: Promise<unknown> = Promise.resolve();
  readonly #stopping = Promise.withResolvers<void>();
  #isOver = false;
  #isResuming = false;
  #deaths = 0;

  /**
   * `apply` takes up what an answer says beside its body, at the very moment that the state changes with it.
   * `replaceThreads` ends every thread, and is told false if one does not end; then the process must.
   */
  constructor({ control, report, apply, replaceThreads }: Means) {
    this.#control = control;
    this.#report = report;
    this.#apply = apply;
    this.#replaceThreads = replaceThreads;
  }

  /** Resolves when no unsealing is under way that a request would have to wait for. */
  async settled(): Promise<void> {
    // An unsealed vault has its keys: another unsealing, perhaps a hanging one, is no reason to wait.
    if (this.sealedBecause !== null) await Promise.race([this.#unsealing, this.#stopping.promise]);
  }

  /** Requests wait for no unsealing any more: what hangs now must not hold up the end. */
  stopWaiting(): void {
    this.#stopping.resolve();
  }

  /** Nothing is unsealed any more, whatever ends now; `because` says why. */
  end(because: Problem | null): void {
    this.#isOver = true;
    this.sealedBecause = because ?? this.sealedBecause;
    this.stopWaiting();
  }

  async unseal(call: Call): Promise<CallResult> {
    const running = this.#tryToUnseal(call);
    this.#unsealing = running;
    const result = await running;
    this.#apply(result);
    // One that was still under way when the vault was destroyed.
    if (this.#isOver) return result;
    // A wrong passphrase for an unsealed vault changes nothing.
    if (result.ok) this.sealedBecause = null;
    else if (this.sealedBecause !== null && saysWhy(result, this.sealedBecause)) this.sealedBecause = result;
    if (result.ok) this.#report('unsealed', '');
    else this.#report('sealed', adviseOn(result, API));
    return result;
  }

  /** Once more if a thread died with it; a passphrase is gone with that thread. */
  async #tryToUnseal(call: Call): Promise<CallResult> {
    const attempts = call.body === null ? UNSEAL_ATTEMPTS : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const result = await this.#control(call);
      if (result !== WORKER_DIED) return result;
      // The other threads may have got the keys before that one died.
      if (this.sealedBecause !== null) await this.#tryToSeal(callFor('vault.seal'));
    }
    return DIED_UNSEALING;
  }

  /** Waits behind nothing: a thread that does not let go of the keys is ended, and if that does not help the process. */
  async seal(call: Call): Promise<CallResult> {
    const inTime = await within(SEAL_MS, this.#tryToSeal(call));
    const result = inTime?.ok ? inTime : await this.#sealByForce();
    this.#apply(result);
    if (result.ok && !this.#isOver) this.sealedBecause = SEALED;
    return result;
  }

  async #sealByForce(): Promise<CallResult> {
    // First, so that no new thread is given the keys again.
    if (!this.#isOver) this.sealedBecause = SEALED;
    this.#report('warning', 'a thread did not let go of the keys in time, so all are ended');
    if (!(await this.#replaceThreads())) return STUCK;
    return (await within(SEAL_MS, this.#tryToSeal(callFor('vault.seal')))) ?? STUCK;
  }

  /** A thread that died with it may have told some of the others only: the next one tells them all. */
  async #tryToSeal(call: Call): Promise<CallResult> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.#control(call);
      if (!wasLost(result) || attempt === SEAL_ATTEMPTS) return result;
      await sleep(RETRY_DELAY_MS);
    }
  }

  /** `isLast`: no thread is left that could have the keys, so requests need not try. */
  noteDeath(isLast: boolean): void {
    this.#deaths += 1;
    if (isLast && this.sealedBecause === null) this.sealedBecause = RESUMING;
    void this.resume();
  }

  /**
   * Sees to it that a vault which nobody sealed is unsealed: after a death, and when a thread turns out to have no keys.
   * Mostly another thread still has them. Where none has, the vault is unsealed as it was when the daemon started, which
   * takes nothing that it did not take then, and a daemon whose threads have died serves again without anybody's help. A
   * vault that needs its passphrase is sealed, and says so.
   */
  async resume(): Promise<void> {
    if (this.#isResuming) return;
    this.#isResuming = true;
    const running = this.#tryToResume();
    this.#unsealing = Promise.race([running, sleep(RESUME_PATIENCE_MS, undefined, { ref: false })]);
    await running;
    this.#isResuming = false;
  }

  /** Until it is known how it ends, however many threads die meanwhile. */
  async #tryToResume(): Promise<void> {
    while (this.#mayResume) {
      const deaths = this.#deaths;
      const result = await this.#control(callFor('vault.resume'));
      // The readers may still have the keys.
      if (result === PROGRAM_REPLACED) return this.#noteReplaced();
      if (wasLost(result)) await sleep(RETRY_DELAY_MS);
      else if (deaths === this.#deaths && (await this.#noteResumed(result))) return;
    }
  }

  #noteReplaced(): void {
    if (this.sealedBecause === RESUMING)
      this.sealedBecause = { reason: 'unusable', message: PROGRAM_REPLACED.message };
  }

  get #mayResume(): boolean {
    return !this.#isOver && (this.sealedBecause === null || this.sealedBecause === RESUMING);
  }

  /** Resolves to false if somebody unsealed the vault while it was being sealed here: then it is to be resumed again. */
  async #noteResumed(result: CallResult): Promise<boolean> {
    // Somebody has sealed or unsealed it meanwhile.
    if (!this.#mayResume) return true;
    this.#apply(result);
    if (result.ok) {
      if (this.sealedBecause !== null) this.#report('unsealed', '');
      this.sealedBecause = null;
      return true;
    }
    this.sealedBecause = result;
    this.#report('sealed', adviseOn(result, API));
    // In all threads, and no token is known any more.
    const sealed = await this.#tryToSeal(callFor('vault.seal'));
    // An unsealing in between was undone by this: without its keys, and without the tokens, it must not count as unsealed.
    if (this.sealedBecause === null) return false;
    this.#apply(sealed);
    return true;
  }
}

function callFor(operation: ControlOperation): Call {
  return { operation, params: {}, body: null, mayReplace: false };
}

/** A request that was itself wrong says nothing about the vault. */
function saysWhy({ code }: Failure, known: Problem): boolean {
  return code !== 'bad_request' || known === STARTING;
}

/** Whether the call may have done nothing, for want of a thread that lives. */
function wasLost(result: CallResult): boolean {
  return result === WORKER_DIED || result === NO_WORKER;
}
