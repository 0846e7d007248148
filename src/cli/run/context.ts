/** What a command knows of the process it runs in. */
import { isatty } from 'node:tty';
import { describeSystemError } from '../../system/system-error.ts';
import { escapeData, escapeJson, escapeLines } from '../../text/escape-controls.ts';
import { isOutputClosed } from '../terminal/closed-output.ts';
import { clearProgress } from '../terminal/progress.ts';
import { CliError, EXIT } from './failure.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  /** The user's own, for what is not ours to close to others: this process runs with a stricter one. */
  readonly umask: number;
  /**
   * Data goes to standard output, everything else to standard error. On a terminal no control character of it arrives, nor
   * what hides or turns text; elsewhere data goes as it is. The same holds for the two below. `mark`: what stands before the
   * text, in the program's own colours.
   */
  readonly print: (text: string, mark?: string) => void;
  /** JSON, which on a terminal has its own escapes. */
  readonly printJson: (json: string | Uint8Array) => void;
  /** Data as bytes, nothing added. */
  readonly write: (bytes: Uint8Array) => void;
  /** Before something is done whose only trace is what is printed. Throws CliError where that would be lost. */
  readonly requireOutput: () => void;
  /** What is good to know; `--quiet` leaves it out. */
  readonly say: (text: string) => void;
  /** What is wrong; always said. */
  readonly complain: (text: string) => void;
  readonly isQuiet: boolean;
  /** Whether somebody can be asked: both ends are a terminal, and `--no-input` was not given. */
  readonly canAsk: boolean;
  /**
   * Whether somebody can be asked for a passphrase: standard error is a terminal, whatever is piped in and out. It is typed
   * on the terminal that the process was started from.
   */
  readonly canAskPassphrase: boolean;
  readonly isInputTerminal: boolean;
  readonly isOutputTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Whether output on a terminal may be coloured. */
  readonly hasColor: boolean;
}

export interface Manners {
  readonly quiet: boolean;
  readonly noInput: boolean;
  readonly noColor: boolean;
}

export function createContext(env: NodeJS.ProcessEnv, umask: number): Context {
  // Not by process.stdin and its like: a stream that is never used takes longer to make than a short command has.
  const [isInputTerminal, isOutputTerminal, isErrorTerminal] = [isatty(0), isatty(1), isatty(2)];
  // Names and paths in it are somebody else's.
  const complain = (text: string) => {
    clearProgress();
    openError().write(`${escapeLines(text)}\n`);
  };
  const output = (data: string | Uint8Array) => void openOutput(complain).write(data);
  return {
    env,
    umask,
    print: (text, mark = '') => output(`${mark}${isOutputTerminal ? escapeData(text) : text}\n`),
    printJson: (json) => {
      output(isOutputTerminal ? escapeJson(asText(json)) : json);
      output('\n');
    },
    write: (bytes) => output(isOutputTerminal ? escapeData(asText(bytes)) : bytes),
    requireOutput: () => {},
    say: complain,
    complain,
    isQuiet: false,
    canAsk: isInputTerminal && isOutputTerminal && isErrorTerminal,
    canAskPassphrase: isErrorTerminal,
    isInputTerminal,
    isOutputTerminal,
    isErrorTerminal,
    hasColor: isOutputTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
  };
}

/** The same context, as the flags want it to behave. */
export function withManners(context: Context, { quiet, noInput, noColor }: Manners): Context {
  return {
    ...context,
    say: quiet ? () => {} : context.say,
    isQuiet: quiet,
    canAsk: context.canAsk && !noInput,
    canAskPassphrase: context.canAskPassphrase && !noInput,
    hasColor: context.hasColor && !noColor,
  };
}

/** The same context, for a command whose output is what it is run for: to print it into nothing is a failure. */
export function guardOutput(context: Context): Context {
  if (context.isOutputTerminal || !isOutputClosed(context.env)) return context;
  const fail = () => {
    throw new CliError(EXIT.failed, 'standard output is closed: what is printed would be lost');
  };
  return { ...context, print: fail, printJson: fail, write: fail, requireOutput: fail };
}

function asText(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.length).toString();
}

const opened = { output: false, error: false, isLost: false };

/** A reader that has seen enough is no failure; output that is lost, and with it perhaps a token, is one. */
function openOutput(complain: (text: string) => void): NodeJS.WriteStream {
  if (opened.output) return process.stdout;
  opened.output = true;
  return process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || code === 'ECONNRESET' || opened.isLost) return;
    opened.isLost = true;
    complain(`mav: the output cannot be written: ${describeSystemError({ code })}`);
    process.exitCode = EXIT.failed;
  });
}

function openError(): NodeJS.WriteStream {
  if (opened.error) return process.stderr;
  opened.error = true;
  return process.stderr.on('error', () => {});
}
