/** Ctrl-C and its kin while something is under way that is to be undone, or at least told of, before the process ends. */

const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type Signal = keyof typeof NUMBERS;
const SIGNALS = Object.keys(NUMBERS) as Signal[];

export interface Interruption {
  /** The signal that came; null as long as none has. */
  readonly signal: Signal | null;
  /** From now on signals end the process again. */
  end(): void;
}

/** Calls `stop` at the first signal; at a second one the process ends, after `giveUp`. */
export function watchSignals(stop: (signal: Signal) => void, giveUp: () => void = () => {}): Interruption {
  let came: Signal | null = null;
  const listen = (signal: Signal) => {
    if (came !== null) {
      giveUp();
      process.exit(exitCodeOfSignal(signal));
    }
    came = signal;
    stop(signal);
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
  return 128 + NUMBERS[signal];
}
