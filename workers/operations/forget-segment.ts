/** The handler that gives up a segment of the audit log. */
import type { WriterLog } from '../audit/writing/writer-log.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';

const NUMBER = /^[1-9][0-9]{0,14}$/;

/** Writes `{"status", "segment", "entries", "file"}`. Throws RequestError and AuditError. */
export async function forgetSegment(log: WriterLog, id: string, reply: ReplyBuffer): Promise<undefined> {
  if (!NUMBER.test(id)) throw new RequestError('not_found', 'the audit log has no such segment');
  const forgotten = await log.forget(Number(id));
  reply.raw(JSON.stringify({ status: 'forgotten', segment: Number(id), ...forgotten }));
}
