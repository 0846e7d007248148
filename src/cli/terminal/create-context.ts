/** The context of a run: what its standard streams are, and how it writes to them. */
import { isatty } from 'node:tty';
import { describeSystemError } from '../../system/system-error.ts';
import { escapeData, escapeJson, escapeLines } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { isOutputClosed } from './closed-output.ts';
import { clearProgress } from './progress.ts';

export interface Manners {
  readonly quiet: boolean;
  readonly noInput: boolean;
  readonly noColor: boolean;
}

export function createContext(env: NodeJS.ProcessEnv, umask: number): Context {
  // Not by process.stdin and its like: to make a stream that is never used takes longer than all of a short command.
  const [isInputTerminal, isOutputTerminal, isErrorTerminal] = [isatty(0), isatty(1), isatty(2)];
  return {
    env,
    umask,
    ...createWriters(isOutputTerminal),
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

/** Escapes control characters: other people choose the names and paths in a message. */
function complain(text: string): void {
  clearProgress();
  openError().write(`${escapeLines(text)}\n`);
}

function createWriters(isTerminal: boolean): Pick<Context, 'print' | 'printJson' | 'write'> {
  const output = (data: string | Uint8Array) => void openOutput().write(data);
  return {
    print: (text, mark = '') => output(`${mark}${isTerminal ? escapeData(text) : text}\n`),
    printJson: (json) => {
      output(isTerminal ? escapeJson(asText(json)) : json);
      output('\n');
    },
    write: (bytes) => output(isTerminal ? escapeData(asText(bytes)) : bytes),
  };
}

/** Returns a context that behaves as the flags say. */
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

/** Returns a context whose output fails if standard output is closed: for commands that are run for their output. */
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

/** A reader that goes away is not an error. Output that cannot be written is one: a token may have been in it. */
function openOutput(): NodeJS.WriteStream {
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
