/**
 * A program that hears when the vault is to be sealed, beside a daemon that may connect to nothing: `session-process EVENT…`.
 * Standard output tells the daemon, and standard input brings its answers, each a line. The program ends with its standard input.
 * It holds no key and no secret.
 */
import { createInterface } from 'node:readline';
import { isSealingEvent } from '../../places/config.ts';
import { SessionEvents } from './session-events.ts';
import { SleepDelay } from './sleep-delay.ts';
import { SEALED, type Source, type Told } from './told.ts';

// The daemon ends this process, and may need it until its own end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const wanted = process.argv.slice(2).filter((word) => isSealingEvent(word));
const unheard = new Map<Source, string>();
let isSettled = false;

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/** Where logind cannot be heard, it does not matter whether it waits. */
function tellUnheard(): void {
  tell({ unheard: [...unheard].filter(([source]) => source !== 'delay' || !unheard.has('logind')) });
}

/** `why`: why this source says nothing; null: it does. */
function note(source: Source, why: string | null): void {
  if (unheard.get(source) === (why ?? undefined)) return;
  if (why === null) unheard.delete(source);
  else unheard.set(source, why);
  if (isSettled) tellUnheard();
}

const delay = new SleepDelay(process.env, (why) => note('delay', why));

async function hear(event: 'suspend' | 'wake' | 'lock' | 'unlock'): Promise<void> {
  if (event === 'wake') await delay.take();
  else tell({ heard: event });
}

process.stdout.on('error', () => process.exit());
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === SEALED) delay.release();
  })
  .on('close', () => process.exit());
await Promise.all([
  SessionEvents.listen(process.env, { wanted, hear: (event) => void hear(event), tell: note }),
  wanted.includes('suspend') ? delay.take() : null,
]);
isSettled = true;
tellUnheard();
