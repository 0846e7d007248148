/**
 * A daemon that has stopped answering: stopped by Ctrl-Z, stalled, or none at all behind a socket that accepts. How long an
 * answer takes says nothing, since a large import takes minutes; but a live daemon answers other clients meanwhile.
 */
import type { Socket } from 'node:net';
import { UntrustedError } from '../places/trusted-places.ts';
import { monotonicMs } from '../system/clock.ts';
import { openSocket, type SocketOptions } from './open-socket.ts';

/** After so long without a byte a connection asks whether the daemon still answers. */
const SILENCE_MS = 2_000;
/** How long it waits for that response. */
const PROBE_MS = 5_000;
const HEALTH = 'GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** While more wait to be let in than the kernel keeps, another attempt is made this often. */
const CROWD_PAUSE_MS = 20;

/**
 * Whether a whole answer comes back within `timeoutMs` on a connection of its own; true also if no program listens any more.
 * Rejects with UntrustedError.
 */
export async function isAnswering(
  socketPath: string,
  timeoutMs: number,
  options: SocketOptions = {},
): Promise<boolean> {
  const deadlineMs = monotonicMs() + timeoutMs;
  for (;;) {
    const answer = await probeHealth(socketPath, Math.max(1, deadlineMs - monotonicMs()), options);
    if (answer !== 'crowded') return answer === 'answer';
    if (monotonicMs() >= deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, CROWD_PAUSE_MS));
  }
}

type Probed = 'answer' | 'silence' | 'crowded';

async function probeHealth(socketPath: string, timeoutMs: number, options: SocketOptions): Promise<Probed> {
  try {
    return await askHealth(await openSocket(socketPath, options), timeoutMs);
  } catch (error) {
    if (error instanceof UntrustedError) throw error;
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'crowded' : 'answer';
  }
}

function askHealth(socket: Socket, timeoutMs: number): Promise<Probed> {
  return new Promise((resolve) => {
    const end = (answer: Probed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end('silence'), timeoutMs);
    socket.once('error', () => end('answer'));
    // A program that closes the connection is alive: the request asks it to close after the response.
    socket.once('close', () => end('answer'));
    socket.resume();
    socket.write(HEALTH);
  });
}

/** Watches a connection while a request waits on it. */
export class SilenceWatch {
  readonly #socketPath: string;
  readonly #options: SocketOptions;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | null = null;
  #heardAtMs = 0;

  constructor(socketPath: string, options: SocketOptions, onSilence: () => void) {
    this.#socketPath = socketPath;
    this.#options = options;
    this.#onSilence = onSilence;
  }

  start(): void {
    if (this.#timer !== null) return;
    this.#heardAtMs = monotonicMs();
    this.#wait();
  }

  noteHeard(): void {
    this.#heardAtMs = monotonicMs();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(): void {
    const leftMs = Math.max(0, this.#heardAtMs + SILENCE_MS - monotonicMs());
    this.#timer = setTimeout(() => void this.#look(), leftMs);
    // The connection keeps the program alive while a request waits; this timer does not.
    this.#timer.unref();
  }

  /** False also if another user listens in the daemon's place. */
  #isAnswering(): Promise<boolean> {
    return isAnswering(this.#socketPath, PROBE_MS, this.#options).catch(() => false);
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const isSilent = monotonicMs() - this.#heardAtMs >= SILENCE_MS;
    const isAlive = !isSilent || (await this.#isAnswering());
    // Answered, or given up, meanwhile.
    if (timer !== this.#timer) return;
    if (isAlive) {
      if (isSilent) this.noteHeard();
      return this.#wait();
    }
    this.stop();
    this.#onSilence();
  }
}
