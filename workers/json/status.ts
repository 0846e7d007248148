/** Replies of operations that have nothing to show but that they were done. */
import type { ReplyBuffer } from './reply.ts';

/** Writes `{"status": status, …members}`. */
export function writeStatus(
  status: string,
  members: Readonly<Record<string, string | number>>,
  reply: ReplyBuffer,
): void {
  reply.raw(JSON.stringify({ status, ...members }));
}
