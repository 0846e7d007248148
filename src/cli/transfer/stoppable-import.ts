/** Ctrl-C during an import: it is given up if it is not committed yet, and the user is told what became of it. */
import type { ImportResult } from '../../client/types.ts';
import type { Context } from '../run/context.ts';
import { CliError, type ExitCode, isCliError, isRefusal } from '../run/failure.ts';
import { exitCodeOfSignal, type Interruption, watchSignals } from '../terminal/interruption.ts';

const NOTHING = 'stopped; nothing was imported';

/** An import, and how to find out what became of it. */
export interface Request {
  readonly isDryRun: boolean;
  readonly send: (signal: AbortSignal) => Promise<ImportResult>;
  /** What the same import would do now. */
  readonly compare: () => Promise<ImportResult>;
}

export class StoppableImport {
  readonly #context: Context;
  /** What to say of an import whose outcome cannot be found out. */
  readonly #remedy: string;
  readonly #interruption: Interruption;
  /** Aborts the request under way; null if there is none. */
  #sending: AbortController | null = null;
  #isDone = false;

  constructor(context: Context, name: string) {
    this.#context = context;
    this.#remedy = `either all of it was imported or nothing; see: mav import --dry-run ${name}`;
    this.#interruption = watchSignals(
      (signal) => {
        if (this.#sending !== null) return this.#sending.abort();
        // It is about to be reported, or the vault is being closed.
        if (this.#isDone) return this.#tellTooLate();
        context.complain(`mav: ${NOTHING}`);
        process.exit(exitCodeOfSignal(signal));
      },
      () => {
        if (!this.#isDone) context.complain(`mav: stopped; ${this.#remedy}`);
      },
    );
  }

  /** Throws CliError if it was stopped. */
  async run({ isDryRun, send, compare }: Request): Promise<ImportResult> {
    this.#sending = new AbortController();
    try {
      const result = await send(this.#sending.signal);
      if (this.#exitCode !== null && isDryRun) throw this.#stopped(NOTHING);
      this.#isDone = !isDryRun;
      if (this.#exitCode !== null) this.#tellTooLate();
      return result;
    } catch (error) {
      if (this.#exitCode === null || isCliError(error)) throw error;
      // The vault itself has answered, or nothing was to be stored.
      const isKnown = isDryRun || isRefusal(error);
      throw this.#stopped(isKnown ? NOTHING : await this.#findOutcome(compare));
    } finally {
      this.#sending = null;
    }
  }

  end(): void {
    this.#interruption.end();
  }

  get #exitCode(): ExitCode | null {
    const { signal } = this.#interruption;
    return signal === null ? null : exitCodeOfSignal(signal);
  }

  #stopped(message: string): CliError {
    return new CliError(this.#exitCode ?? 1, message);
  }

  #tellTooLate(): void {
    this.#context.complain('mav: too late to stop; all of it was imported');
    process.exitCode = this.#exitCode ?? undefined;
  }

  /** The daemon's writer takes one request after another: what it compares with is there, or was rolled back. */
  async #findOutcome(compare: Request['compare']): Promise<string> {
    try {
      const { added, changed } = await compare();
      return added.length + changed.length > 0 ? NOTHING : 'too late to stop; all of it was imported';
    } catch {
      return `stopped; ${this.#remedy}`;
    }
  }
}
