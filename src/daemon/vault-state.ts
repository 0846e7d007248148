/**
 * Whether the vault is sealed, as the request thread sees it. Keeps that true when worker threads die: while the state is
 * sealed no thread has the keys, and while it is unsealed the threads have them.
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
/** How long a sealing may take. The writer gives the readers 3 s of it to let go of the keys. */
const SEAL_MS = 4_000;
const STUCK: Failure = {
  ok: false,
  code: 'busy',
  message:
    'a thread is stuck and cannot let go of the keys of the vault; mav serve ends itself now, and they are gone with it',
};
/** How long requests wait for a vault that is being unsealed again. */
const RESUME_PATIENCE_MS = 500;

/** Writes to the log. */
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
   * `apply` takes up what a result says beside its body, at the moment that the state changes with it. `replaceThreads`
   * ends every thread, and resolves with false if one does not end; then the process must end.
   */
  constructor({ control, report, apply, replaceThreads }: Means) {
    this.#control = control;
    this.#report = report;
    this.#apply = apply;
    this.#replaceThreads = replaceThreads;
  }

  /** Resolves when no unsealing is under way that a request would have to wait for. */
  async settled(): Promise<void> {
    // An unsealed vault has its keys, so its requests do not wait for another unsealing, which may hang.
    if (this.sealedBecause !== null) await Promise.race([this.#unsealing, this.#stopping.promise]);
  }

  /** Requests wait for no unsealing any more, so that one that hangs does not hold up the end. */
  stopWaiting(): void {
    this.#stopping.resolve();
  }

  /** No unsealing that ends from now on changes the state. `because`: why the vault is sealed now; null leaves it. */
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
    // The unsealing was still under way when the vault was destroyed.
    if (this.#isOver) return result;
    // A wrong passphrase for an unsealed vault changes nothing.
    if (result.ok) this.sealedBecause = null;
    else if (this.sealedBecause !== null && saysWhy(result, this.sealedBecause)) this.sealedBecause = result;
    if (result.ok) this.#report('unsealed', '');
    else this.#report('sealed', adviseOn(result, API));
    return result;
  }

  /** Tries again if a thread died with the call, unless the call had a passphrase, which is gone with that thread. */
  async #tryToUnseal(call: Call): Promise<CallResult> {
    const attempts = call.body === null ? UNSEAL_ATTEMPTS : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const result = await this.#control(call);
      if (result !== WORKER_DIED) return result;
      // The other threads may have got the keys before the thread died.
      if (this.sealedBecause !== null) await this.#tryToSeal(callFor('vault.seal'));
    }
    return DIED_UNSEALING;
  }

  /**
   * Seals in a bounded time: ends a thread that does not let go of the keys, and the process if the thread does not end. If the
   * vault seals itself, requests that come from now on are refused, and do not wait for the threads.
   */
  async seal(call: Call, because = SEALED): Promise<CallResult> {
    if (because !== SEALED) this.#noteSealingItself(because);
    const inTime = await within(SEAL_MS, this.#tryToSeal(call));
    const result = inTime?.ok ? inTime : await this.#sealByForce(because);
    this.#apply(result);
    if (result.ok && !this.#isOver) this.sealedBecause = because;
    return result;
  }

  #noteSealingItself(because: Problem): void {
    if (!this.#isOver) this.sealedBecause = because;
    this.#report('sealed', adviseOn(because, API));
  }

  async #sealByForce(because: Problem): Promise<CallResult> {
    // Again, because the vault may have been unsealed meanwhile, and no new thread is to be given the keys.
    if (!this.#isOver) this.sealedBecause = because;
    this.#report('warning', 'a thread did not let go of the keys in time, so all are ended');
    if (!(await this.#replaceThreads())) return STUCK;
    return (await within(SEAL_MS, this.#tryToSeal(callFor('vault.seal')))) ?? STUCK;
  }

  /** Tries again if a thread died with the call: it may have told only some of the other threads. */
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
   * Unseals a vault that nobody has sealed, after a thread died or turned out to have no keys. Mostly another thread still
   * has them. Where none has, the vault is unsealed as when the daemon started, so a daemon whose threads have died serves
   * again without help. A vault that needs its passphrase becomes sealed, and says so.
   */
  async resume(): Promise<void> {
    if (this.#isResuming) return;
    this.#isResuming = true;
    const running = this.#tryToResume();
    this.#unsealing = Promise.race([running, sleep(RESUME_PATIENCE_MS, undefined, { ref: false })]);
    await running;
    this.#isResuming = false;
  }

  /** Tries until there is a result, however many threads die meanwhile. */
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

  /** Resolves with false if the vault was unsealed while it was being sealed here. Then it has to be resumed again. */
  async #noteResumed(result: CallResult): Promise<boolean> {
    // The vault was sealed or unsealed meanwhile.
    if (!this.#mayResume) return true;
    this.#apply(result);
    if (result.ok) {
      if (this.sealedBecause !== null) this.#report('unsealed', '');
      this.sealedBecause = null;
      return true;
    }
    this.sealedBecause = result;
    this.#report('sealed', adviseOn(result, API));
    // In all threads; and no token is known any more.
    const sealed = await this.#tryToSeal(callFor('vault.seal'));
    // This sealing undid the unsealing, so the vault has neither keys nor tokens and must not count as unsealed.
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

/** Returns whether the call may have done nothing because no thread was alive. */
function wasLost(result: CallResult): boolean {
  return result === WORKER_DIED || result === NO_WORKER;
}
