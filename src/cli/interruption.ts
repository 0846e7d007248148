/** Ctrl-C and its kin while something is under way that should be undone, or at least told of, before the process ends. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof SIGNALS)[number];

export interface Interruption {
  /** The signal that came; null as long as none has. */
  readonly signal: Signal | null;
  /** From now on signals end the process again. */
  end(): void;
}

/** Calls `stop` at the first signal; at a second one the process ends at once. */
export function watchSignals(stop: () => void): Interruption {
  let came: Signal | null = null;
  const listen = (signal: Signal) => {
    if (came !== null) process.exit(exitCodeOfSignal(signal));
    came = signal;
    stop();
  };
  for (const signal of SIGNALS) process.on(signal, listen);
  return {
    get signal() {
      return came;
    },
    end() {
      for (const signal of SIGNALS) process.off(signal, listen);
    },
  };
}

/** As a shell has it: 128 and the signal's number. */
export function exitCodeOfSignal(signal: Signal): number {
  return 128 + constants.signals[signal];
}
