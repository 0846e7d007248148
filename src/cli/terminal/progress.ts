/**
 * A line on the terminal that says how far something long is. It is drawn again in its place, and removed before anything
 * else is printed or asked there.
 */
import { escapeControls } from '../../text/escape-controls.ts';

/** Work that ends sooner shows no line. */
const PATIENCE_MS = 500;
const INTERVAL_MS = 100;
const SECOND_MS = 1_000;
const CLEAR_LINE = '\r\x1b[K';

/** What decides whether a line may be drawn. */
interface Screen {
  readonly isErrorTerminal: boolean;
  readonly isQuiet: boolean;
  readonly env: NodeJS.ProcessEnv;
}

interface Lines {
  /** The one whose line is on the screen. */
  drawn: Progress | null;
  /** The one that was begun last. */
  current: Progress | null;
}

/** Shared by the process: the bundle and the files beside it each have a copy of this module. */
const shared = globalThis as { [key: symbol]: Lines | undefined };
const KEY = Symbol.for('maestrovault.progress');
const lines = shared[KEY] ?? { drawn: null, current: null };
shared[KEY] = lines;

/** Removes the line; the next step draws it again. */
export function clearProgress(): void {
  if (lines.drawn !== null) process.stderr.write(CLEAR_LINE);
  lines.drawn = null;
}

/** For a question: nothing is drawn over it, or over the answer. */
export function stopProgress(): void {
  lines.current?.end();
}

export class Progress {
  #isShown: boolean;
  #nextMs = Date.now() + PATIENCE_MS;
  #timer: NodeJS.Timeout | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #text = '';

  /** Draws nothing if standard error is not a terminal, or with `--quiet`. */
  constructor({ context }: { readonly context: Screen }) {
    this.#isShown = context.isErrorTerminal && context.env.TERM !== 'dumb' && !context.isQuiet;
    lines.current = this;
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  show(text: string): void {
    clearInterval(this.#ticker);
    this.#showLater(text);
  }

  showCount(text: string, done: number, total: number): void {
    this.show(`${text}: ${done} of ${total}`);
  }

  /** Shows for how long the work has run, if it cannot say how far it is. */
  showElapsed(text: string): void {
    const startMs = Date.now();
    const tell = () => this.#showLater(`${text}, ${Math.round((Date.now() - startMs) / SECOND_MS)} s`);
    this.#showLater(text);
    this.#ticker = setInterval(tell, SECOND_MS).unref();
  }

  /** Removes the line, and draws no other. */
  end(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    this.#isShown = false;
    if (lines.drawn === this) clearProgress();
  }

  #showLater(text: string): void {
    if (!this.#isShown) return;
    this.#text = text;
    const waitMs = this.#nextMs - Date.now();
    if (waitMs <= 0) this.#draw();
    else this.#timer ??= setTimeout(() => this.#draw(), waitMs).unref();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#nextMs = Date.now() + INTERVAL_MS;
    lines.drawn = this;
    process.stderr.write(CLEAR_LINE + escapeControls(this.#text));
  }
}
