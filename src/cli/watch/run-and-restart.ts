/** Runs a program with secrets, and starts it again when one that it uses has changed. */
import type { ChangeEvent } from '../../client/types.ts';
import { readStarted } from '../../system/started.ts';
import { findInherited } from '../process/inherited-descriptors.ts';
import { collectProgramVariables } from '../project/program-variables.ts';
import type { Input } from '../run/command.ts';
import { type ExitCode, toCliError, usageError } from '../run/failure.ts';
import { speakSynchronously } from '../terminal/speak-synchronously.ts';
import { buildEnvironment } from '../variables/program-environment.ts';
import { findMaxEntrySize } from '../variables/variable-size.ts';
import { describeSource, type Variable } from '../variables/variables.ts';
import { withDaemon } from '../vault/access.ts';
import { makeProgramChooser } from './program-chooser.ts';
import { WatchedProgram } from './watched-program.ts';

/** After a change it waits until nothing has changed for this time, so that many changes make one restart. */
const QUIET_MS = 250;
/** But no longer than this in all. */
const PATIENCE_MS = 2_000;
/** Names in one line. */
const MOST_NAMES = 5;

type Events = AsyncGenerator<ChangeEvent, void, undefined>;

/** Resolves with the exit code of the program once it ends by itself. `open`: follows the changes. */
export async function runAndRestart(given: Input, graceMs: number, open: () => Events): Promise<ExitCode> {
  // Before anything is opened.
  const inherited = findInherited();
  const started = readStarted(process.env);
  const input = { ...given, context: speakSynchronously(given.context) };
  const changes = new Changes(input, open());
  // From here on no change is missed.
  await changes.opened;
  let variables = await collect(input);
  process.umask(input.context.umask);
  const program = new WatchedProgram(input.args, inherited, graceMs);
  const surround = () => buildEnvironment(input.context, started, variables);
  program.start(surround());
  const ended = program.ended.then((code) => ({ code }));
  for (;;) {
    const end = await Promise.race([ended, changes.next()]).catch((error) => {
      complainOf(error, input, 'runs on and is not restarted any more');
      return ended;
    });
    if (end !== undefined) return end.code;
    const fresh = await collectChanged(input, variables);
    if (fresh === null) continue;
    variables = fresh;
    await program.restart(surround());
  }
}

function collect(input: Input): Promise<readonly Variable[]> {
  return collectProgramVariables(input, {
    maxSize: findMaxEntrySize(),
    hasProgram: true,
    access: withDaemon,
  });
}

/** Returns the variables if they differ from those before, and says which secrets changed; null if the program goes on. */
async function collectChanged(
  input: Input,
  before: readonly Variable[],
): Promise<readonly Variable[] | null> {
  const { context, args } = input;
  try {
    const fresh = await collect(input);
    const changed = nameChanged(before, fresh);
    if (changed.length === 0) return null;
    context.complain(`mav: ${describeNames(changed)} changed; restarting ${args[0]}`);
    return fresh;
  } catch (error) {
    complainOf(error, input, 'goes on with what it has');
    return null;
  }
}

/** `goesOn`: what the program does all the same. */
function complainOf(error: unknown, { context, args }: Input, goesOn: string): void {
  context.complain(`mav: ${toCliError(error).message}; ${args[0]} ${goesOn}`);
}

/** The changes of secrets that the options choose. */
class Changes {
  readonly #input: Input;
  readonly #opened = Promise.withResolvers<void>();
  #isPending = false;
  #wakeUp = (): void => {};
  #error: unknown = null;

  constructor(input: Input, events: Events) {
    this.#input = input;
    this.#read(events).catch((error) => {
      this.#error = error;
      this.#opened.reject(error);
      this.#wakeUp();
    });
  }

  /** Resolves when the stream is open. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  async #read(events: Events): Promise<void> {
    for await (const event of events) {
      const isFirst = event.event === 'reset' && !this.#isOpen;
      this.#isOpen = true;
      this.#opened.resolve();
      if (isFirst || !this.#concerns(event)) continue;
      this.#isPending = true;
      this.#wakeUp();
    }
  }

  #isOpen = false;

  /** An env file, or a project's, may be written anew at any time. */
  #concerns(event: ChangeEvent): boolean {
    try {
      return event.event === 'reset' || makeProgramChooser(this.#input)(event);
    } catch {
      return true;
    }
  }

  /** Resolves after changes, once there are no more for a while. Rejects if no more can be learnt of. */
  async next(): Promise<undefined> {
    await this.#wait(Number.POSITIVE_INFINITY);
    const endsAtMs = performance.now() + PATIENCE_MS;
    do this.#isPending = false;
    while (performance.now() < endsAtMs && (await this.#wait(QUIET_MS)));
    this.#isPending = false;
    return undefined;
  }

  /** Resolves with whether there is a change by then. */
  async #wait(limitMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.#isPending && this.#error === null)
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve;
        if (Number.isFinite(limitMs)) timer = setTimeout(resolve, limitMs);
      });
    clearTimeout(timer);
    if (this.#error !== null) throw this.#error;
    return this.#isPending;
  }
}

/** Returns what names each secret whose variable was added, removed or changed. */
function nameChanged(before: readonly Variable[], after: readonly Variable[]): string[] {
  const [old, fresh] = [byName(before), byName(after)];
  const names = new Set([...old.keys(), ...fresh.keys()]);
  const changed = [...names].filter((name) => old.get(name)?.value !== fresh.get(name)?.value);
  return changed.map((name) => {
    const source = (fresh.get(name) ?? old.get(name))?.source ?? null;
    return source === null ? name : describeSource(source);
  });
}

function byName(variables: readonly Variable[]): Map<string, Variable> {
  return new Map(variables.map((variable) => [variable.name, variable]));
}

function describeNames(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000 } as const;
const MAX_GRACE_MS = 600_000;

/** Returns milliseconds. A bare number is seconds. Throws CliError. */
export function readGrace(text: string): number {
  const [, digits = '', unit = 's'] = /^([0-9]{1,6})(ms|s|m)?$/.exec(text) ?? [];
  const graceMs = digits === '' ? Number.NaN : Number(digits) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (!(graceMs <= MAX_GRACE_MS)) throw usageError('--grace takes a time up to 10m, such as 10s');
  return graceMs;
}
