/** A line on the terminal that says how far a long request is: the vault counts, and is asked beside the request. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../client/client.ts';
import type { Input } from '../run/command.ts';
import { Progress } from '../terminal/progress.ts';
import { withDaemon } from './access.ts';
import type { VaultAccess } from './vault-access.ts';

const ASK_EVERY_MS = 200;

export interface Work {
  readonly client: Client;
  readonly access: VaultAccess;
  /** Which of the vault's counters is shown: of imports, of checks, or of rotations. */
  readonly kind: 'writing' | 'reading' | 'rotating';
  /** What is being done: `Storing secrets`. */
  readonly text: string;
}

/** Runs `request` and shows how far it is, where somebody looks. */
export async function showWork<T>(input: Input, work: Work, request: () => Promise<T>): Promise<T> {
  const progress = new Progress(input);
  if (!progress.isShown) return request();
  // Shown until the vault has counted, and if it does not tell the count, as with MAV_TOKEN.
  progress.showElapsed(work.text);
  const end = new AbortController();
  const following = followWork(input, work, progress, end.signal);
  try {
    return await request();
  } finally {
    end.abort();
    progress.end();
    await following;
  }
}

/** Never rejects: the work goes on if the count cannot be read. */
async function followWork(input: Input, work: Work, progress: Progress, end: AbortSignal): Promise<void> {
  const ask = async (client: Client) => {
    for (;;) {
      await sleep(ASK_EVERY_MS, undefined, { signal: end });
      const { progress: counts } = await client.health();
      const count = counts?.[work.kind];
      if (count !== undefined && !end.aborted) progress.showCount(work.text, count.done, count.total);
    }
  };
  // The daemon answers the requests of a connection in order, so this needs another connection.
  const asking =
    work.access === 'own' ? ask(work.client) : withDaemon(input, ask, { mayBeSealed: true, bringsKey: true });
  await asking.catch(() => {});
}
