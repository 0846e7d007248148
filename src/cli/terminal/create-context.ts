/** The context of a run: what its standard streams are, and how it writes to them. */
import { describeSystemError } from '../../system/system-error.ts';
import { escapeData, escapeJson, escapeLines } from '../../text/escape-controls.ts';
import { nameVault } from '../../text/name-vault.ts';
import type { Context } from '../run/context.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { isOutputClosed } from './closed-output.ts';
import { isTerminal } from './is-terminal.ts';
import { clearProgress } from './progress.ts';
import { StandardStream } from './standard-stream.ts';

export interface Manners {
  readonly quiet: boolean;
  readonly noInput: boolean;
  readonly noColor: boolean;
}

export function createContext(env: NodeJS.ProcessEnv, umask: number): Context {
  const [isInputTerminal, isOutputTerminal, isErrorTerminal] = [isTerminal(0), isTerminal(1), isTerminal(2)];
  const complain = createComplain(isErrorTerminal);
  return {
    env,
    umask,
    ...createWriters(isOutputTerminal, complain),
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

function createComplain(isErrorTerminal: boolean): Context['complain'] {
  const stream = new StandardStream({ descriptor: 2, isTerminal: isErrorTerminal, onError: () => {} });
  return (text) => {
    clearProgress();
    // Other people choose the names and paths in a message.
    stream.write(`${escapeLines(nameVault(text))}\n`);
  };
}

type Writers = Pick<Context, 'print' | 'printJson' | 'write' | 'flushed'>;

function createWriters(isOutputTerminal: boolean, complain: Context['complain']): Writers {
  // A reader that goes away is not an error. Output that cannot be written is one: a token may have been in it.
  const stream = new StandardStream({
    descriptor: 1,
    isTerminal: isOutputTerminal,
    onError: ({ code }) => {
      if (code === 'EPIPE' || code === 'ECONNRESET') return;
      complain(`mav: the output cannot be written: ${describeSystemError({ code })}`);
      process.exitCode = EXIT.failed;
    },
  });
  return {
    print: (text, mark = '') => stream.write(`${mark}${isOutputTerminal ? escapeData(text) : text}\n`),
    printJson: (json) => {
      stream.write(isOutputTerminal ? escapeJson(asText(json)) : json);
      stream.write('\n');
    },
    write: (data) => stream.write(isOutputTerminal ? escapeData(asText(data)) : data),
    flushed: () => stream.flushed(),
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
