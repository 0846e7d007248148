/**
 * Requests that wait for the owner's yes, and what the owner has said yes to. It holds names, and neither a value nor a key. A
 * request that waits holds no worker.
 */
import { randomBytes } from 'node:crypto';
import type { Asker, NeededApproval, NeededSecret, Operation } from '../../workers/messages.ts';

/** How long the owner is waited for, and how long an approval that was asked for separately may be used. */
const PATIENCE_MS = 60_000;
/** Requests that wait at once, and those of one principal. */
const MAX_PENDING = 100;
const MAX_OF_PRINCIPAL = 20;
const ID_SIZE = 8;
/** The number of `once a session`. */
const SESSION = 1;
/** Stands for every secret, where it is the token that asks. */
const ANY_SECRET = 0;

/** What a request asks for, and who sent it. */
export interface Asking {
  readonly principalId: string;
  /** The JSON of an Asker; null where the kernel does not say. */
  readonly asker: string | null;
  readonly purpose: string | null;
  readonly operation: Operation;
  /** Method and target. An approval holds for this request only. */
  readonly request: string;
  /** What the token asks for, as stored; 0: nothing. */
  readonly tokenAsks: number;
  readonly needed: NeededApproval;
}

export type Verdict = 'approved' | 'denied' | 'not_answered' | 'ended';

interface Pending extends Asking {
  readonly id: string;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly timer: NodeJS.Timeout;
  /** Called once; null: the request was answered at once, and is repeated when it is approved. */
  readonly settle: ((verdict: Verdict) => void) | null;
  isApproved: boolean;
}

/** A pending approval as the API describes it. */
export interface ApprovalDescription extends Partial<Asker> {
  readonly id: string;
  readonly asked_at: string;
  readonly expires_at: string;
  readonly operation: Operation;
  readonly principal: { readonly id: string; readonly name: string };
  readonly purpose?: string;
  readonly secrets: readonly {
    readonly name: string;
    readonly environment: string;
    readonly field?: string;
    readonly confirm: 'session' | 'always';
  }[];
}

export class Approvals {
  readonly #pending = new Map<string, Pending>();
  /** The ids of secrets that a program was allowed to read for a session, by principal and program. */
  readonly #granted = new Map<string, Set<number>>();
  readonly #listeners = new Set<() => void>();
  /** Whether a request may wait: somebody else can answer it. */
  canWait = false;
  readonly #patienceMs: number;

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  /** Returns whether the owner has said yes to all of it for the session. */
  covers(asking: Asking): boolean {
    const granted = this.#granted.get(keyOf(asking) ?? '');
    if (granted === undefined) return false;
    return asking.needed.secrets.every(
      (secret) =>
        (secret.asks === 0 || (secret.asks === SESSION && granted.has(secret.id))) &&
        (asking.tokenAsks === 0 || (asking.tokenAsks === SESSION && granted.has(ANY_SECRET))),
    );
  }

  /**
   * Waits for the owner's answer. Returns how to stop waiting; null if too many wait already. Call it only if a
   * request can wait (`canWait`).
   */
  wait(asking: Asking, settle: (verdict: Verdict) => void): (() => void) | null {
    if (!this.#hasRoom(asking)) return null;
    const { id } = this.#add(asking, settle);
    for (const tell of this.#listeners) tell();
    return () => this.#remove(id);
  }

  /** For a request that is answered at once, and repeated with the approval. Returns null if too many wait already. */
  defer(asking: Asking): ApprovalDescription | null {
    if (!this.#hasRoom(asking)) return null;
    const pending = this.#add(asking, null);
    if (isListed(pending)) for (const tell of this.#listeners) tell();
    return describe(pending);
  }

  #hasRoom({ principalId }: Asking): boolean {
    const all = [...this.#pending.values()];
    const own = all.filter((pending) => pending.principalId === principalId);
    return all.length < MAX_PENDING && own.length < MAX_OF_PRINCIPAL;
  }

  #add(asking: Asking, settle: Pending['settle']): Pending {
    const id = randomBytes(ID_SIZE).toString('hex');
    const askedAtMs = Date.now();
    const timer = setTimeout(() => this.#settle(id, 'not_answered'), this.#patienceMs).unref();
    const expiresAtMs = askedAtMs + this.#patienceMs;
    const pending = { ...asking, id, askedAtMs, expiresAtMs, timer, settle, isApproved: false };
    this.#pending.set(id, pending);
    return pending;
  }

  #remove(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    clearTimeout(pending?.timer);
    this.#pending.delete(id);
    return pending;
  }

  #settle(id: string, verdict: Verdict): void {
    this.#remove(id)?.settle?.(verdict);
  }

  /** What the owner is to be asked, the oldest first. The session asks by itself for what it has asked for separately. */
  list(): ApprovalDescription[] {
    return [...this.#pending.values()].filter(isListed).map(describe);
  }

  /** Resolves when the list is not empty, after `ms` at the latest, or when `onGone` calls. */
  async awaitAny(ms: number, onGone: (listener: () => void) => void): Promise<void> {
    if (ms === 0 || !this.canWait || this.list().length > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#listeners.add(resolve);
    onGone(resolve);
    await promise;
    clearTimeout(timer);
    this.#listeners.delete(resolve);
  }

  /** Returns what was asked for; null if no request with this id waits for an answer. */
  decide(id: string, isApproved: boolean): Asking | null {
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.isApproved) return null;
    if (isApproved) this.#grant(pending);
    if (isApproved && pending.settle === null) pending.isApproved = true;
    else this.#settle(id, isApproved ? 'approved' : 'denied');
    return pending;
  }

  /** Remembers a yes for the session, where that is what is asked for. */
  #grant(asking: Asking): void {
    const key = keyOf(asking);
    if (key === null) return;
    const granted = this.#granted.get(key) ?? new Set();
    this.#granted.set(key, granted);
    for (const { id, asks } of asking.needed.secrets) if (asks === SESSION) granted.add(id);
    if (asking.tokenAsks === SESSION) granted.add(ANY_SECRET);
  }

  /** Whether `redeem` would return something. */
  isApproved(id: string, { principalId, request }: Pick<Asking, 'principalId' | 'request'>): boolean {
    const pending = this.#pending.get(id);
    return pending?.isApproved === true && pending.principalId === principalId && pending.request === request;
  }

  /** Uses an approval up. Returns the ids of the secrets; null if there is none for this principal and request. */
  redeem(id: string, by: Pick<Asking, 'principalId' | 'request'>): number[] | null {
    if (!this.isApproved(id, by)) return null;
    return this.#remove(id)?.needed.secrets.map((secret) => secret.id) ?? null;
  }

  /** The vault was sealed, or the daemon ends: no yes holds any more. */
  end(): void {
    this.#granted.clear();
    for (const id of [...this.#pending.keys()]) this.#settle(id, 'ended');
    for (const tell of this.#listeners) tell();
  }
}

/**
 * Whom a yes for the session is given to: the principal and the program. Where the kernel does not name the program, to the
 * process; null, so to nobody, where it names neither.
 */
function keyOf({ principalId, asker }: Asking): string | null {
  if (asker === null) return null;
  const { pid, program } = JSON.parse(asker) as Asker;
  if (program === null && pid === null) return null;
  return JSON.stringify([principalId, program ?? pid]);
}

function isListed({ settle, principalId, isApproved }: Pending): boolean {
  return !isApproved && (settle !== null || principalId !== 'session');
}

function describe(pending: Pending): ApprovalDescription {
  const { id, askedAtMs, expiresAtMs, operation, principalId, asker, purpose, needed } = pending;
  return {
    id,
    asked_at: new Date(askedAtMs).toISOString(),
    expires_at: new Date(expiresAtMs).toISOString(),
    operation,
    principal: { id: principalId, name: needed.token ?? principalId },
    ...(asker === null ? {} : (JSON.parse(asker) as Asker)),
    ...(purpose === null ? {} : { purpose }),
    secrets: needed.secrets.map((secret) => describeSecret(secret, pending)),
  };
}

function describeSecret(
  { name, environment, fields, asks }: NeededSecret,
  { operation, tokenAsks }: Pending,
): ApprovalDescription['secrets'][number] {
  const [field = ''] = fields;
  const isOneField = field !== '' && operation !== 'secrets.get' && operation !== 'secrets.export';
  return {
    name,
    environment,
    ...(isOneField ? { field } : {}),
    confirm: Math.max(asks, tokenAsks) === SESSION ? 'session' : 'always',
  };
}
