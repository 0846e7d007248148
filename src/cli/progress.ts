/** How far something long has come: one line on the terminal, drawn anew in its place, gone when it is done. */
import type { Input } from './command.ts';

/** What is done sooner needs no line. */
const PATIENCE_MS = 500;
const INTERVAL_MS = 100;
const SECOND_MS = 1_000;
const CLEAR_LINE = '\r\x1b[K';

export class Progress {
  readonly #isShown: boolean;
  #nextMs = Date.now() + PATIENCE_MS;
  #timer: NodeJS.Timeout | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #text = '';
  #isDrawn = false;

  /** Nothing is ever drawn where nobody looks, or with `--quiet`. */
  constructor({ context }: Input) {
    this.#isShown = context.isErrorTerminal && context.env.TERM !== 'dumb' && !context.isQuiet;
  }

  show(text: string): void {
    if (!this.#isShown) return;
    this.#text = text;
    const waitMs = this.#nextMs - Date.now();
    if (waitMs <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), waitMs).unref();
  }

  /** As show, for what cannot say how far it is: how long it has been at it. */
  showElapsed(text: string): void {
    const startMs = Date.now();
    const tell = () => this.show(`${text}, ${Math.round((Date.now() - startMs) / SECOND_MS)} s`);
    this.show(text);
    this.#ticker = setInterval(tell, SECOND_MS).unref();
  }

  /** Takes the line away. */
  end(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    if (this.#isDrawn) process.stderr.write(CLEAR_LINE);
    this.#isDrawn = false;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextMs = Date.now() + INTERVAL_MS;
    this.#isDrawn = true;
    process.stderr.write(CLEAR_LINE + this.#text);
  }
}
