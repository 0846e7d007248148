/** Checks of the machine: where memory may be written to, and what time it believes it is. */

import { readFileSync } from 'node:fs';
import { formatTime } from '../../text/format-time.ts';
import { checkDebuggers } from './debuggers.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** When this version was written: an earlier time means that the clock is wrong. */
const EARLIEST = Date.UTC(2026, 10);

export function checkMachine(): Finding[] {
  return [checkClock(Date.now()), checkSwap(process.platform), ...checkDebuggers()];
}

export function checkClock(nowMs: number): Finding {
  const now = formatTime(new Date(nowMs).toISOString());
  return nowMs < EARLIEST
    ? fail('clock', `the clock says ${now}, which is in the past: tokens would not expire; set it`)
    : ok('clock', now);
}

function checkSwap(platform: NodeJS.Platform): Finding {
  if (platform === 'darwin') return ok('swap', 'macOS encrypts it');
  const swaps = platform === 'linux' ? readOrNull('/proc/swaps') : null;
  if (swaps === null) return ok('swap', 'not known on this system');
  return judgeSwaps(swaps, (device) => readOrNull(`/sys/block/${device}/dm/uuid`));
}

/** `swaps`: as /proc/swaps has it, one a line below a heading. `readMapping`: the UUID of a device-mapper device. */
export function judgeSwaps(swaps: string, readMapping: (device: string) => string | null): Finding {
  const names = swaps
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s/, 1)[0] ?? '')
    .filter((name) => name !== '');
  const open = names.filter((name) => !isHarmless(name, readMapping));
  if (open.length > 0)
    return warn(
      'swap',
      `memory, and what is secret in it, may be written to ${open.join(', ')}; encrypt the swap, or turn it off`,
    );
  return ok('swap', names.length === 0 ? 'none' : 'encrypted, or in memory');
}

/** zram lies in memory; a mapping by dm-crypt says so by its UUID. */
function isHarmless(name: string, readMapping: (device: string) => string | null): boolean {
  const device = /^\/dev\/(zram\d+|dm-\d+)$/.exec(name)?.[1];
  if (device === undefined) return false;
  return device.startsWith('zram') || (readMapping(device)?.startsWith('CRYPT-') ?? false);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
