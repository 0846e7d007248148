/** When a daemon seals its vault by itself, from flags and config.json. */
import { join } from 'node:path';
import type { SealingRules } from '../../daemon/self-sealing.ts';
import { isSealingEvent, readConfig, readSealingTime, SEALING_TIME } from '../../places/config.ts';
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

/** Returns null where nothing says that it does. Throws CliError. */
export function readSealingRules(input: Input): SealingRules | null {
  const config = readConfig(join(input.home.directory, 'config.json'));
  const idleMs = readTime(input, 'idle-seal', config.idle_seal);
  const maxUnsealedMs = readTime(input, 'max-unsealed', config.max_unsealed);
  const on = readEvents(input) ?? config.seal_on ?? [];
  if (idleMs === null && maxUnsealedMs === null && on.length === 0) return null;
  return { idleMs, maxUnsealedMs, on, mayUnseal: input.flag('auto-unseal') || config.auto_unseal === true };
}

/** `--seal-on none` takes back what config.json says. */
function readEvents({ text }: Input): SealingRules['on'] | undefined {
  const given = text('seal-on');
  if (given === undefined || given === 'none') return given === undefined ? undefined : [];
  const events = given.split(',');
  if (events.every((event) => isSealingEvent(event))) return events;
  throw usageError('--seal-on takes suspend, lock, or both with a comma between them, or none');
}

function readTime({ text }: Input, option: string, configured = 'never'): number | null {
  const ms = readSealingTime(text(option) ?? configured);
  if (ms === undefined) throw usageError(`--${option} ${SEALING_TIME}`);
  return ms;
}
