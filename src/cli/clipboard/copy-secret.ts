/** What `mav copy` and `mav get --clip` do: a value goes to the clipboard, and a process stays behind to clear it. */
import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { orExplain } from '../vault/or-explain.ts';
import type { ClearingJob } from './clear-clipboard.ts';
import { type Clipboard, copyText, findClipboard } from './clipboard.ts';
import { digestValue, newDigestKey } from './value-digest.ts';

const DEFAULT_CLEAR = '45s';
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const MAX_CLEAR_MS = 24 * UNITS_MS.h;

/** Resolves when the secret's value is in the clipboard. */
export async function copySecret(input: Input): Promise<ExitCode> {
  const { environment } = input;
  const [name = ''] = input.args;
  const field = input.text('field');
  const copy = prepareCopy(input);
  const value = await withVault(input, (client) => {
    const asked =
      field === undefined
        ? client.getValue(name, { environment })
        : client.getField(name, field, { environment });
    return orExplain(input, client, { name, environment, field }, asked);
  });
  await copy(value, describeSecret(name, environment, field));
  return EXIT.done;
}

/**
 * Finds the clipboard and reads the options, before there is a value to copy, and returns what copies one: `what` is
 * how messages name it. Both throw CliError.
 */
export function prepareCopy(input: Input): (value: Uint8Array, what: string) => Promise<void> {
  const { context } = input;
  const clearAfterMs = readClearAfter(input);
  const clipboard = findClipboard(context.env, process.platform);
  return async (value, what) => {
    checkText(value);
    await copyText(clipboard, value);
    if (clearAfterMs === null) return context.say(`Copied ${what}; it stays in the clipboard.`);
    await leaveClearing(clipboard, value, clearAfterMs);
    context.say(`Copied ${what}; the clipboard is cleared in ${describeTime(clearAfterMs)}.`);
  };
}

/** Returns milliseconds, or null for never. A bare number is seconds. Throws CliError. */
function readClearAfter({ text, clearAfter }: Input): number | null {
  const given = text('clear') ?? clearAfter ?? DEFAULT_CLEAR;
  if (given === 'never') return null;
  const [, digits = '', unit = 's'] = /^([0-9]{1,9})(ms|s|m|h)?$/.exec(given) ?? [];
  const timeMs = digits === '' ? Number.NaN : Number(digits) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (!(timeMs <= MAX_CLEAR_MS))
    throw usageError('--clear takes a time up to 24h, such as 45s or 2m, or never');
  return timeMs === 0 ? null : timeMs;
}

function describeTime(timeMs: number): string {
  return timeMs < UNITS_MS.s ? `${timeMs} ms` : `${Math.round(timeMs / UNITS_MS.s)} s`;
}

function checkText(value: Uint8Array): void {
  if (isUtf8(value) && !value.includes(0)) return;
  throw new CliError(
    EXIT.failed,
    'nothing was copied: the value is no text, and the clipboard would change it; use mav get … > FILE',
  );
}

/**
 * Starts a process that clears the clipboard later. It is told what to look for by a digest, on its standard input, and
 * has nothing of this one: no terminal, no pipe, no folder, no token. Throws CliError if it cannot be started.
 */
async function leaveClearing(clipboard: Clipboard, value: Uint8Array, delayMs: number): Promise<void> {
  const key = newDigestKey();
  const job: ClearingJob = { clipboard, key, digest: digestValue(key, value), delayMs };
  const { MAV_TOKEN: _, ...env } = process.env;
  const child = spawn(process.execPath, [locateProgram()], {
    cwd: '/',
    env,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  child.stdin.end(JSON.stringify(job));
  try {
    await once(child.stdin, 'finish');
  } catch {
    throw new CliError(EXIT.failed, 'it is copied, but nothing could be started to clear the clipboard');
  }
}

/** Starts from package.json, because in the bundle a path relative to this file leads elsewhere. */
function locateProgram(): string {
  return join(dirname(findPackageJSON(import.meta.url) ?? ''), 'dist/src/cli/clipboard/clear-clipboard.js');
}
