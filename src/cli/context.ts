/** What a command knows of the process it runs in. */
import { type Home, locateHome } from '../home.ts';
import { CliError, EXIT } from './failure.ts';

export interface Context {
  readonly env: NodeJS.ProcessEnv;
  /** Data goes to standard output, everything else to standard error. */
  readonly print: (text: string) => void;
  readonly say: (text: string) => void;
  /** Whether somebody can be asked: both ends are a terminal. */
  readonly canAsk: boolean;
  readonly isOutputTerminal: boolean;
}

export function createContext(env: NodeJS.ProcessEnv): Context {
  const isOutputTerminal = process.stdout.isTTY === true;
  return {
    env,
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true && isOutputTerminal,
    isOutputTerminal,
  };
}

/** Where the vault is; `--socket` wins over the environment. */
export function homeOf({ env }: Context, socket: string | undefined): Home {
  return locateHome(env, socket ?? null);
}

/** The form of the output. Throws CliError for an unknown one. */
export function outputForm({ isOutputTerminal }: Context, given: string | undefined): 'json' | 'table' {
  if (given === undefined) return isOutputTerminal ? 'table' : 'json';
  if (given !== 'json' && given !== 'table') throw new CliError(EXIT.usage, '--output must be json or table');
  return given;
}
