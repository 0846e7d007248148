/**
 * Writes the log so that no request ever waits for it. The reader of a pipe may have stopped, a terminal may be held or
 * gone, a disk may be full: lines that cannot be written are dropped and counted, and the log says how many as soon as it
 * can be written again. One write is under way at a time, on a thread of libuv.
 */
import { write } from 'node:fs';

/** How long a line may lie in memory: every write wakes a thread, which costs more than the routing of a request. */
const DELAY_MS = 50;
/** How many lines may lie in memory, so that few are lost if the process is killed. */
const MAX_LINES = 256;
/** Characters that may wait behind a write that does not end: some ten thousand lines. */
const MAX_CHARACTERS = 2 * 1_048_576;
/** How long to wait before a write is tried again on a descriptor that another process has made non-blocking. */
const RETRY_MS = 100;

const NEWLINE = 0x0a;

/** Returns the line that says how many lines could not be written. */
export type DescribeLoss = (lines: number) => string;

export class LogWriter {
  readonly #descriptor: number;
  readonly #describeLoss: DescribeLoss;
  /** Lines that wait to be written, joined. */
  #text = '';
  #lines = 0;
  /** The length of the text that is being written. */
  #underWay = 0;
  #lost = 0;
  /** Whether the last write ended inside of a line. */
  #isMidLine = false;
  #isWriting = false;
  #timer: NodeJS.Timeout | null = null;
  #onIdle: (() => void)[] = [];

  constructor(descriptor: number, describeLoss: DescribeLoss) {
    this.#descriptor = descriptor;
    this.#describeLoss = describeLoss;
  }

  /** `line` ends with a newline. It is written within 50 ms. */
  write(line: string): void {
    if (this.#underWay + this.#text.length + line.length > MAX_CHARACTERS) {
      this.#lost += 1;
      return;
    }
    this.#text += line;
    this.#lines += 1;
    if (this.#lines >= MAX_LINES) this.send();
    else this.#timer ??= setTimeout(() => this.send(), DELAY_MS).unref();
  }

  /** Begins to write what is in memory. */
  send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isWriting || this.#lines === 0) return;
    const lost = this.#lost;
    const text = (lost > 0 ? this.#describeLoss(lost) : '') + this.#text;
    const start = this.#isMidLine ? '\n' : '';
    this.#underWay = this.#text.length;
    this.#text = '';
    this.#lines = 0;
    this.#isWriting = true;
    this.#writeRest(Buffer.from(start + text), lost);
  }

  /** `told`: the number of lost lines that `bytes` begins by reporting. */
  #writeRest(bytes: Buffer, told: number): void {
    write(this.#descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#writeRest(bytes, told), RETRY_MS).unref();
        return;
      }
      if (error !== null) return this.#finish(countLines(bytes));
      // The report of the loss comes first, so if anything was written, most of the report was.
      if (written > 0) {
        this.#lost -= told;
        this.#isMidLine = bytes[written - 1] !== NEWLINE;
      }
      if (written === bytes.length) this.#finish(0);
      else this.#writeRest(bytes.subarray(written), written > 0 ? 0 : told);
    });
  }

  #finish(lost: number): void {
    this.#lost += lost;
    this.#underWay = 0;
    this.#isWriting = false;
    this.send();
    if (!this.#isWriting) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Writes what is in memory. Resolves with false if that does not end in `timeoutMs`; it then still holds a thread. */
  async end(timeoutMs: number): Promise<boolean> {
    this.send();
    if (!this.#isWriting) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#onIdle.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines += 1;
  return lines;
}
