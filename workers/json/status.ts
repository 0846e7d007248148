/** The reply of an operation that only says that it was done. */
import type { ReplyBuffer } from './reply.ts';

/** Writes `{"status": status, …members}`. */
export function writeStatus(
  status: string,
  members: Readonly<Record<string, string | number>>,
  reply: ReplyBuffer,
): void {
  reply.raw(JSON.stringify({ status, ...members }));
}
