/**
 * The vault held by a short command's own process, put together: the daemon's pool and pipeline without its socket. The
 * thread starts before the vault is ours (it opens nothing until it is asked), so that it loads while we do.
 */
import type { Asker, Call } from '../../workers/messages.ts';
import type { CallResult } from '../call-result.ts';
import { isAlive } from '../client/alive.ts';
import type { Incoming, Outgoing, Send } from '../client/connection.ts';
import { ConnectionError } from '../client/connection-error.ts';
import type { Backend } from '../http/backend.ts';
import type { HttpResponse } from '../http/http-response.ts';
import type { Home } from '../places/home.ts';
import { readOwner, TURN_PATIENCE_MS } from '../places/owner.ts';
import type { PoolOptions } from '../pool/pools.ts';
import { HeldVault, type Report } from './held-vault.ts';
import { Libc } from './libc.ts';
import { mintSessionToken } from './mint-session-token.ts';

export interface InProcessVault {
  readonly sessionToken: string;
  readonly send: Send;
  unseal(body?: Call['body']): Promise<CallResult>;
  /**
   * Whether a key of this unsealed vault signed the head of a backup. `mac`: hexadecimal. Its entry in the audit log is that of the
   * restoration: the log goes where this vault goes.
   */
  confirmBackup(head: string, mac: string): Promise<boolean>;
  /** Ends the thread and lets go of the vault. */
  close(): Promise<void>;
}

/** null if a daemon has the vault by now. Throws OwnedElsewhereError if another command has it for too long. */
export async function holdInProcess(
  home: Home,
  command: string,
  options: PoolOptions,
  report: Report,
  turnPatienceMs = TURN_PATIENCE_MS,
): Promise<InProcessVault | null> {
  const sessionToken = mintSessionToken();
  // It will have keys, as the daemon has.
  Libc.open()?.forbidDumping();
  const vault = new HeldVault(options, sessionToken, report);
  // Needed after the unsealing only, but now the thread is loading, and this one would wait for it.
  const loading = import('../http/answer-request.ts');
  let isOurs = false;
  try {
    isOurs = await takeTurn(home, command, turnPatienceMs);
  } finally {
    if (!isOurs) await vault.close();
  }
  if (!isOurs) return null;
  const { answerRequest } = await loading;
  return {
    sessionToken,
    send: (outgoing) => answerInProcess(answerRequest, vault, outgoing),
    unseal: (body = null) => vault.unseal(body),
    confirmBackup: (head, mac) => confirmBackup(vault, { head, mac }),
    close: () => close(vault, home),
  };
}

async function confirmBackup(vault: HeldVault, params: { head: string; mac: string }): Promise<boolean> {
  const call = { operation: 'vault.confirmBackup', params, body: null, mayReplace: false } as const;
  const who = { author: { id: 'session', isTrusted: true }, asker: JSON.stringify(OWN_PROCESS) };
  const result = await vault.run('control', { ...call, ...who });
  return result.ok && JSON.parse(Buffer.from(result.body).toString()).genuine === true;
}

async function close(vault: HeldVault, home: Home): Promise<void> {
  const { releaseOwnership } = await import('./ownership.ts');
  try {
    await vault.close();
  } finally {
    releaseOwnership(home);
  }
}

/** False if a daemon has the vault by now. Throws OwnedElsewhereError when patience ends. */
async function takeTurn(home: Home, command: string, patienceMs: number): Promise<boolean> {
  const { awaitOwnership, OwnedElsewhereError } = await import('./ownership.ts');
  let elsewhere: string | null = null;
  try {
    const isOurs = await awaitOwnership(home, command, patienceMs, async () => {
      elsewhere = await findElsewhere(home);
      return elsewhere !== null || (await isAlive(home.socketPath));
    });
    if (elsewhere === null) return isOurs;
  } catch (error) {
    if (!(error instanceof OwnedElsewhereError)) throw error;
    const waited = `this one waited ${Math.round(patienceMs / 1000)} s for its turn`;
    const owner = readOwner(home.ownerPath);
    const remedy =
      owner?.command === 'serve'
        ? `Nobody listens on ${home.socketPath}: end that daemon with kill ${owner.pid}, then start it again: mav serve`
        : 'For many commands at once run: mav serve';
    throw new OwnedElsewhereError(`${error.message}; ${waited}. ${remedy}`);
  }
  throw new OwnedElsewhereError(elsewhere);
}

/** Says so if a daemon has the vault that listens on another socket, which would be waited for in vain; else null. */
async function findElsewhere({ directory, ownerPath, socketPath }: Home): Promise<string | null> {
  const { socket = socketPath, pid } = readOwner(ownerPath) ?? {};
  if (socket === socketPath || !(await isAlive(socket))) return null;
  const daemon = `the daemon that has the vault in ${directory}, process ${pid},`;
  return `${daemon} listens on ${socket}; give --socket, or set MAV_SOCKET`;
}

const OWN_PROCESS: Asker = { uid: process.geteuid?.() ?? 0, pid: process.pid, program: 'mav' };

/** The daemon's own pipeline behind the client's interface. */
async function answerInProcess(
  answerRequest: typeof import('../http/answer-request.ts').answerRequest,
  vault: Backend,
  { method, target, headers, body, signal }: Outgoing,
): Promise<Incoming> {
  const response = await answerRequest(vault, {
    isWanted: () => true,
    method,
    target,
    authorization: headers.Authorization,
    requestId: undefined,
    ifMatch: headers['If-Match'],
    ifNoneMatch: headers['If-None-Match'],
    purpose: headers['X-Purpose'],
    approval: headers['X-Approval'],
    asker: JSON.stringify(OWN_PROCESS),
    // In memory of its own: it is moved to a worker.
    readBody: async () => (body === null || body.length === 0 ? null : new Uint8Array(body)),
    onGone: () => {},
    onDisconnect: (listener) => {
      signal?.addEventListener('abort', listener);
      return () => signal?.removeEventListener('abort', listener);
    },
  });
  return toIncoming(response, await collect(response));
}

/** The whole body. Throws ConnectionError where it breaks off, as a daemon's answer then would. */
async function collect({ body, rest, isLive }: HttpResponse): Promise<Uint8Array> {
  if (isLive) throw new ConnectionError('only a daemon tells of changes; start one: mav serve');
  if (rest === null) return typeof body === 'string' ? Buffer.from(body) : body;
  const pieces = [body];
  try {
    for await (const piece of rest) pieces.push(piece);
  } catch (error) {
    throw new ConnectionError(`the answer broke off${error instanceof Error ? `: ${error.message}` : ''}`);
  }
  return Buffer.concat(pieces);
}

function toIncoming({ status, headers }: HttpResponse, body: Uint8Array): Incoming {
  const byName: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2)
    byName[(headers[at] ?? '').toLowerCase()] = headers[at + 1] ?? '';
  return { status, headers: byName, body };
}
