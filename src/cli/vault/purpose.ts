/** What a command's requests are for, as its user says. */
import type { Input } from '../run/command.ts';

/** Returns `--reason`, else MAV_PURPOSE; undefined if neither is given. The daemon checks it. */
export function findPurpose({ text, context: { env } }: Input): string | undefined {
  return text('reason') ?? env.MAV_PURPOSE;
}
