/**
 * The vault that this process holds: its pools, who may ask, and whether it is sealed. The daemon answers its socket
 * through it, and the command line goes through the very same when no daemon runs.
 */
import type { Call, Failure } from '../../workers/messages.ts';
import type { Answered } from '../answered.ts';
import { hashToken, Principals } from '../auth/principals.ts';
import { TokenUsage } from '../auth/usage.ts';
import type { Backend } from '../http/answer.ts';
import { type PoolOptions, Pools } from '../pool/pools.ts';
import type { Route } from '../routes.ts';

/** How often the times of tokens' last use are written. */
const USAGE_FLUSH_MS = 5_000;

const DESTROYED = 'the vault was destroyed; make a new one with: mav init';

/** Told what the log should say. */
export type Report = (event: string, detail: string) => void;

export class HeldVault implements Backend {
  readonly principals: Principals;
  readonly #pools: Pools;
  readonly #usage = new TokenUsage();
  readonly #report: Report;
  readonly #usageTimer: NodeJS.Timeout;
  #sealedBecause: string | null = 'the vault is being unsealed';
  /** Settles when the unsealing under way has ended; requests wait for it instead of failing. */
  #unsealing: Promise<unknown> = Promise.resolve();
  readonly #stopping = Promise.withResolvers<void>();
  readonly #destroyed = Promise.withResolvers<void>();
  #isDestroyed = false;
  #isDamaged = false;

  constructor(options: PoolOptions, sessionToken: string, report: Report) {
    const session = { id: 'session', scopes: ['session'] as const, expiresAt: null };
    this.principals = new Principals({ ...session, tokenHash: hashToken(sessionToken) });
    this.#report = report;
    this.#pools = new Pools(options, (error) => report('worker-died', describeError(error)));
    this.#usageTimer = setInterval(() => void this.#flushUsage(), USAGE_FLUSH_MS).unref();
  }

  /** Why the vault is sealed, with the remedy; null while it is not. */
  get sealedBecause(): string | null {
    return this.#sealedBecause;
  }

  /** Resolves when the vault was destroyed. */
  get destroyed(): Promise<void> {
    return this.#destroyed.promise;
  }

  /** Resolves when no unsealing is under way that a request would have to wait for. */
  async settled(): Promise<void> {
    // An unsealed vault has its keys: another unsealing, perhaps a hanging one, is no reason to wait.
    if (this.#sealedBecause !== null) await Promise.race([this.#unsealing, this.#stopping.promise]);
  }

  /** Requests wait for no unsealing any more: what hangs now must not hold up the end. */
  stopWaiting(): void {
    this.#stopping.resolve();
  }

  /** Asks the vault's key slots for its key. Never rejects: a failure leaves the vault sealed and says why. */
  unseal(body: Call['body'] = null): Promise<Answered> {
    return this.dispatch('control', { operation: 'vault.unseal', params: {}, body, mayReplace: false });
  }

  noteUse(tokenId: string, nowMs: number): void {
    if (tokenId !== 'session') this.#usage.note(tokenId, nowMs);
  }

  async dispatch(pool: Exclude<Route['pool'], 'none'>, call: Call): Promise<Answered> {
    if (this.#isDestroyed) return refuse(call, 'sealed', DESTROYED);
    if (pool === 'control') return this.#control(call);
    // The list says when each token was last used: what is still in memory must be written first.
    if (call.operation === 'tokens.list') await this.#flushUsage();
    return this.#apply(await (pool === 'readers' ? this.#pools.read(call) : this.#pools.write(call)));
  }

  async #control(call: Call): Promise<Answered> {
    if (call.operation === 'keys.rotate') {
      await this.settled();
      // The writer would look for the keyring in every thread first, and then not know why nobody has it.
      if (this.#sealedBecause !== null) return refuse(call, 'sealed', this.#sealedBecause);
    }
    const running = this.#pools.control(call);
    if (call.operation === 'vault.unseal') this.#unsealing = running;
    const answered = await running;
    if (call.operation === 'vault.unseal') this.#noteUnsealed(answered);
    if (call.operation === 'vault.seal' && answered.ok)
      this.#sealedBecause = 'the vault is sealed; run: mav unseal';
    if (call.operation === 'vault.destroy' && answered.ok) this.#noteDestroyed();
    return this.#apply(answered);
  }

  #noteDestroyed(): void {
    this.#isDestroyed = true;
    this.#sealedBecause = DESTROYED;
    this.stopWaiting();
    this.#report('destroyed', '');
    this.#destroyed.resolve();
  }

  #noteUnsealed(answered: Answered): void {
    // One that was still under way when the vault was destroyed.
    if (this.#isDestroyed) return;
    // A wrong passphrase for an unsealed vault changes nothing.
    if (answered.ok) this.#sealedBecause = null;
    else if (this.#sealedBecause !== null) this.#sealedBecause = answered.message;
    this.#report(answered.ok ? 'unsealed' : 'sealed', answered.ok ? '' : answered.message);
  }

  /** Takes up a change of principals before the reply is sent, so that it holds for the next request. */
  #apply(answered: Answered): Answered {
    if (answered.ok && answered.principals !== undefined) this.principals.apply(answered.principals);
    if (answered.ok && answered.warning !== undefined) this.#report('warning', answered.warning);
    if (!answered.ok && answered.detail !== undefined) this.#report('failure', answered.detail);
    if (answered.damage !== undefined) this.#noteDamage(answered.damage);
    return answered;
  }

  /** The workers write nothing from then on; said once, since every request may meet it again. */
  #noteDamage(damage: string): void {
    if (this.#isDamaged) return;
    this.#isDamaged = true;
    this.#report('damaged', `the database: ${damage}; nothing is written to it any more`);
  }

  async #flushUsage(): Promise<void> {
    const params = this.#sealedBecause === null && !this.#isDamaged ? this.#usage.take() : null;
    if (params === null) return;
    await this.#pools.write({ operation: 'tokens.touch', params, body: null, mayReplace: false });
  }

  /** Finishes what is under way and ends the threads. */
  async close(): Promise<void> {
    clearInterval(this.#usageTimer);
    await this.#flushUsage();
    await this.#pools.close();
  }
}

/** What no worker gets to see. */
function refuse(call: Call, code: Failure['code'], message: string): Failure {
  call.body?.fill(0);
  return { ok: false, code, message };
}

/** An error's name and code: its message may quote what it was about. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}
