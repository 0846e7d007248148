/**
 * The vault that this process holds: its pools, the principals, and whether it is sealed. The daemon answers requests with
 * it, and so does the command line when no daemon runs.
 */
import type { Call, Failure, Operation, PrincipalChange, Success } from '../../workers/messages.ts';
import { Approvals } from '../auth/approvals.ts';
import { KeyAttempts } from '../auth/key-attempts.ts';
import { GuessLimit } from '../auth/limits.ts';
import { hashToken, Principals } from '../auth/principals.ts';
import { TokenUsage } from '../auth/usage.ts';
import { UseBudget } from '../auth/use-budget.ts';
import type { CallResult, PendingCall } from '../call-result.ts';
import type { Backend } from '../http/backend.ts';
import { ChangeStreams } from '../http/change-streams.ts';
import { HttpError } from '../http/errors.ts';
import type { LongWork } from '../long-work.ts';
import { type Death, type PoolOptions, Pools } from '../pool/pools.ts';
import type { Problem } from '../remedies.ts';
import { type Pool, routes } from '../routes.ts';
import { type FoundChange, RowChecks } from './row-checks.ts';
import type { SelfSealing } from './self-sealing.ts';
import type { SessionWatcher } from './session/session-watcher.ts';
import { type Report, VaultState } from './vault-state.ts';

export type { Report } from './vault-state.ts';

/** How often the times of tokens' last use are written. */
const USAGE_FLUSH_MS = 5_000;

/** How long a thread may take to end. */
const THREADS_END_MS = 2_000;

/** Operations after which a stream of changes may have something to say. */
const CHANGING: ReadonlySet<Operation> = new Set(
  routes
    .filter(({ pool, operation }) => pool === 'writer' && !operation.startsWith('tokens.'))
    .map(({ operation }) => operation as Operation),
);

/** Operations that are no use of the vault. */
const UPKEEP: ReadonlySet<Operation> = new Set(
  routes.filter(({ isUpkeep }) => isUpkeep).map(({ operation }) => operation as Operation),
);
const STOPPING: Failure = {
  ok: false,
  code: 'busy',
  message: 'mav serve is stopping; a rotation that has begun goes on when it is started again',
};

/** Control operations that need an unsealed vault. */
const NEEDS_KEYRING: ReadonlySet<Operation> = new Set([
  'keys.rotate',
  'keys.add',
  'keys.remove',
  'keys.changePassphrase',
  'vault.backup',
  'audit.forget',
]);

/** Control operations whose body may have what opens the vault. */
const TAKES_SECRET: ReadonlySet<Operation> = new Set([
  'vault.unseal',
  'vault.recover',
  'keys.rotate',
  'keys.add',
  'keys.remove',
  'keys.changePassphrase',
]);

const DESTROYED: Problem = {
  reason: 'destroyed',
  message: 'the vault was destroyed; make a new one with: mav init',
};

export class HeldVault implements Backend {
  readonly principals: Principals;
  readonly guesses: GuessLimit;
  readonly changeStreams = new ChangeStreams();
  readonly approvals = new Approvals();
  /** null: the vault does not seal itself. */
  selfSealing: SelfSealing | null = null;
  /** null: it is not sealed by what happens to the machine and the desktop. */
  sessionWatcher: SessionWatcher | null = null;
  readonly #pools: Pools;
  readonly #usage = new TokenUsage();
  readonly #uses = new UseBudget((id, count) => this.#reserveUses(id, count));
  readonly #attempts = new KeyAttempts();
  readonly #report: Report;
  readonly #usageTimer: NodeJS.Timeout;
  readonly #state: VaultState;
  readonly #destroyed = Promise.withResolvers<void>();
  readonly #stuck = Promise.withResolvers<void>();
  readonly #stopping = Promise.withResolvers<Failure>();
  #rowChecks: RowChecks | null = null;
  #isDestroyed = false;
  #isDamaged = false;

  constructor(options: PoolOptions, sessionToken: string, report: Report) {
    const session = { id: 'session', scopes: ['session'] as const, expiresAt: null };
    this.principals = new Principals({ ...session, tokenHash: hashToken(sessionToken) });
    this.guesses = new GuessLimit((detail) => report('guessing', detail));
    this.#report = report;
    this.#pools = new Pools(
      options,
      (death) => this.#noteDeath(death),
      (reply, { operation }) => {
        // The thread had no keys, which it should have unless the vault has just been sealed.
        if (!reply.ok && reply.code === 'sealed') void this.#state.resume();
        this.#apply(reply);
        if (reply.ok && CHANGING.has(operation)) this.changeStreams.wake();
      },
    );
    this.#state = new VaultState({
      control: (call) => this.#pools.control(call),
      report,
      apply: (result) => this.#apply(result),
      replaceThreads: () => this.#replaceThreads(),
    });
    this.#usageTimer = setInterval(() => void this.#flushUsage(), USAGE_FLUSH_MS).unref();
  }

  get isReplaced(): boolean {
    return this.#pools.isReplaced;
  }

  /** Resolves when every thread has loaded all that it will need. */
  async loaded(): Promise<void> {
    await this.#pools.loaded();
  }

  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  get changedRows(): FoundChange | null {
    return this.#rowChecks?.changed ?? null;
  }

  get sealedBecause(): Problem | null {
    this.selfSealing?.lookIfLate();
    return this.#state.sealedBecause;
  }

  get longWork(): LongWork {
    return this.#pools.longWork;
  }

  /** Resolves when the vault was destroyed. */
  get destroyed(): Promise<void> {
    return this.#destroyed.promise;
  }

  /** Resolves when a thread that has the keys cannot be ended although the vault was sealed. Then the process must end. */
  get stuck(): Promise<void> {
    return this.#stuck.promise;
  }

  /** When the vault will be sealed by its rules; null: by none, or it is sealed. */
  get sealingTimes(): ReturnType<SelfSealing['findTimes']> | null {
    return this.sealedBecause === null ? (this.selfSealing?.findTimes() ?? null) : null;
  }

  get unheard(): readonly string[] {
    return this.sessionWatcher?.unheard ?? [];
  }

  /** Resolves when no unsealing is under way that a request would have to wait for. `isUse`: the request may begin one. */
  async settled(isUse = false): Promise<void> {
    if (isUse) await this.selfSealing?.unsealAgain(this.sealedBecause);
    await this.#state.settled();
  }

  /**
   * Lets go of requests that wait for an unsealing, for the end of a rotation or for the owner, of refusals that are held back and
   * of streams, so that the daemon can end.
   */
  stopWaiting(): void {
    this.#state.stopWaiting();
    this.#stopping.resolve(STOPPING);
    this.changeStreams.end();
    this.guesses.end();
    this.approvals.end();
    this.#attempts.end();
  }

  /** Asks the vault's key slots for its key. Never rejects. A failure leaves the vault sealed and says why. */
  unseal(body: Call['body'] = null): Promise<CallResult> {
    return this.run('control', { operation: 'vault.unseal', params: {}, body, mayReplace: false });
  }

  noteUse(tokenId: string, nowMs: number): void {
    if (tokenId !== 'session') this.#usage.note(tokenId, nowMs);
  }

  takeUse(tokenId: string, maxUses: number): Promise<boolean> {
    return this.#uses.take(tokenId, maxUses);
  }

  /** Throws HttpError if the uses cannot be stored: an answer must not be given before. */
  async #reserveUses(tokenId: string, count: number): Promise<number> {
    const params = { id: tokenId, count: String(count) };
    const result = await this.run('writer', {
      operation: 'tokens.reserve',
      params,
      body: null,
      mayReplace: false,
    });
    if (!result.ok) throw new HttpError(result.code, result.message);
    return (JSON.parse(Buffer.from(result.body).toString()) as { granted: number }).granted;
  }

  dispatch(pool: Pool, pending: PendingCall): void {
    const { call } = pending;
    if (!UPKEEP.has(call.operation)) this.selfSealing?.noteUse();
    if (this.#isDestroyed) pending.take(refuse(call, DESTROYED));
    else if (pool === 'control') void this.#tryControl(call).then((result) => pending.take(result));
    else if (call.operation === 'tokens.list' || call.operation === 'tokens.get')
      // It is said when a token was last used, so the times that are still in memory are written first.
      void this.#flushUsage().then(() => this.#pools.dispatch(pool, pending));
    else this.#pools.dispatch(pool, pending);
  }

  /** As `dispatch`, for a call whose caller awaits the result. Never rejects. */
  run(pool: Pool, call: Call): Promise<CallResult> {
    return new Promise((resolve) => this.dispatch(pool, { call, isWanted: null, take: resolve }));
  }

  /** A call that may bring a passphrase or a code waits for its turn. */
  async #tryControl(call: Call): Promise<CallResult> {
    if (call.body === null || !TAKES_SECRET.has(call.operation)) return this.#control(call);
    return (await this.#attempts.take(() => this.#control(call), judgeSecret)) ?? refuseAttempt(call);
  }

  async #control(call: Call): Promise<CallResult> {
    if (call.operation === 'vault.unseal' || call.operation === 'vault.recover') return this.#unseal(call);
    if (call.operation === 'vault.seal') return this.seal(call);
    if (NEEDS_KEYRING.has(call.operation)) {
      await this.settled();
      // The writer would look for the keyring in every thread first, and then not know why none has it.
      if (this.sealedBecause !== null) return refuse(call, this.sealedBecause);
    }
    const running = this.#pools.control(call);
    // A rotation may take minutes, and goes on with the next start. What else is under way is waited for.
    const result = await (call.operation === 'keys.rotate'
      ? Promise.race([running, this.#stopping.promise])
      : running);
    if (call.operation === 'vault.destroy' && result.ok) this.#noteDestroyed();
    this.#apply(result);
    return result;
  }

  async #unseal(call: Call): Promise<CallResult> {
    const result = await this.#state.unseal(call);
    if (result.ok) this.selfSealing?.noteUnsealed();
    if (result.ok) this.#rowChecks?.noteUnsealed();
    return result;
  }

  /** From now on all rows are compared with their set MAC each time that the vault was unsealed. */
  checkRows(): void {
    this.#rowChecks = new RowChecks({
      check: () => this.#pools.checkRows(),
      apply: (result) => this.#apply(result),
      isUnsealed: () => this.#state.sealedBecause === null,
    });
  }

  /** `because`: why the vault is sealed from now on, if nobody has asked for it. */
  async seal(call: Call, because?: Problem): Promise<CallResult> {
    const result = await this.#pools.withoutLongWork(() => this.#state.seal(call, because));
    this.changeStreams.wake();
    this.approvals.end();
    return result;
  }

  #noteDeath({ kind, reason, isLast }: Death): void {
    this.#report('worker-died', `${kind}: ${reason}`);
    this.#state.noteDeath(isLast);
    // What a thread wrote that died is not known here.
    this.changeStreams.wake();
  }

  async #replaceThreads(): Promise<boolean> {
    const isDone = await this.#pools.replaceThreads(THREADS_END_MS);
    if (!isDone) this.#stuck.resolve();
    return isDone;
  }

  #noteDestroyed(): void {
    this.#isDestroyed = true;
    this.#state.end(DESTROYED);
    this.stopWaiting();
    this.#report('destroyed', '');
    this.#destroyed.resolve();
  }

  /** Takes up what a reply says beside its body, before it is sent: a change of principals holds for the next request. */
  #apply(reply: Failure | Omit<Success, 'offset' | 'length'>): void {
    if (reply.ok) {
      if (reply.principals !== undefined) this.#applyPrincipals(reply.principals);
      if (reply.warning !== undefined) this.#report('warning', reply.warning);
    } else if (reply.detail !== undefined) {
      this.#report('failure', reply.detail);
    }
    if (reply.damage !== undefined) this.#noteDamage(reply.damage);
  }

  #applyPrincipals(change: PrincipalChange): void {
    this.principals.apply(change);
    this.changeStreams.wake();
    // A token that was wrong before may be right now.
    if (change.kind === 'replace-all') this.guesses.forget();
  }

  /** Reports damage once, as every request may meet it again. The workers write nothing any more. */
  #noteDamage(damage: string): void {
    if (this.#isDamaged) return;
    this.#isDamaged = true;
    this.#report('damaged', `the database: ${damage}; nothing is written to it any more`);
  }

  async #flushUsage(): Promise<void> {
    const params = this.#state.sealedBecause === null && !this.#isDamaged ? this.#usage.take() : null;
    if (params === null) return;
    await this.#pools.run('writer', { operation: 'tokens.touch', params, body: null, mayReplace: false });
  }

  /** Waits for the calls under way, then ends the threads. */
  async close(): Promise<void> {
    clearInterval(this.#usageTimer);
    this.selfSealing?.end();
    this.#rowChecks?.end();
    await this.#flushUsage();
    if (this.#state.sealedBecause === null && !this.#isDamaged) await this.#uses.release();
    this.#state.end(null);
    await this.#pools.close();
  }
}

/** Whether the passphrase or the code of a call was right; null if its result does not tell. */
function judgeSecret(result: CallResult): boolean | null {
  if (result.ok) return true;
  const isWrongCode = result.code === 'bad_request' && result.member === 'recovery_code';
  return isWrongCode || result.reason === 'wrong_passphrase' ? false : null;
}

/** Refuses an attempt to open the vault that did not get its turn, and zeroes its body. */
function refuseAttempt(call: Call): Failure {
  call.body?.fill(0);
  const message =
    'others try to open the vault already, and have to wait because of wrong attempts; try again later';
  return { ok: false, code: 'busy', message };
}

/** Refuses a call that no worker gets, and zeroes its body. */
function refuse(call: Call, sealedBecause: Problem): Failure {
  call.body?.fill(0);
  return { ...sealedBecause, ok: false, code: 'sealed' };
}
