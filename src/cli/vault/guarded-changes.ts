/** Ctrl-C while a change is under way: its answer is still waited for, so that what was done is said. */
import type { Send } from '../../client/connection.ts';
import type { Context } from '../run/context.ts';
import { CliError, type ExitCode } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from '../terminal/interruption.ts';

/** Requests that are not GET and store nothing. */
const STORING_NOTHING: readonly string[] = ['/v1/secrets/batch-get', '/v1/unseal', '/v1/seal'];
/** How long to wait for the response before saying so. */
const PATIENCE_MS = 300;

/**
 * A Send that carries a change to its end. After a signal no further request is sent, and the process ends with the exit code
 * of the signal; a second signal ends it at once.
 */
export function guardChanges(send: Send, { complain }: Context): Send {
  let stopped: ExitCode | null = null;
  return async (outgoing) => {
    if (stopped !== null) throw new CliError(stopped, 'stopped; nothing more was done');
    const { method, target, signal } = outgoing;
    // The sender of a request with a signal of its own gives it up itself.
    if (method === 'GET' || signal !== undefined || STORING_NOTHING.includes(target)) return send(outgoing);
    const { interruption, end } = watchChange(complain);
    try {
      return await send(outgoing);
    } finally {
      end();
      if (interruption.signal !== null) {
        stopped = exitCodeOfSignal(interruption.signal);
        process.exitCode = stopped;
      }
    }
  };
}

/** Says that the change is waited for, if that takes long after a first signal, and what a second one means. */
function watchChange(complain: Context['complain']) {
  let timer: NodeJS.Timeout | undefined;
  const say = () => complain('mav: waiting for the change to be made or refused; Ctrl-C again to leave it');
  const interruption = watchSignals(
    () => {
      timer = setTimeout(say, PATIENCE_MS);
    },
    () => complain('mav: stopped; whether the change was made is not known'),
  );
  const end = () => {
    clearTimeout(timer);
    interruption.end();
  };
  return { interruption, end };
}
