/**
 * Runs one call and keeps its reply body, or what went wrong. Holds response bodies with plaintext until the batch
 * is handed on; a failed call's bytes are zeroed at once.
 */
import type { BodyOperation, BodyRequest } from './bodies/schemas.ts';
import { toFailure } from './failures.ts';
import type { ReplyBuffer } from './json/reply.ts';
import type { BatchResult, Call, Reply, Success } from './messages.ts';
import type { WritableVault } from './vault.ts';

/** What an operation says beside its body. */
export type Outcome = Pick<Success, 'cursor' | 'etag' | 'principals' | 'warning' | 'damage'>;

/** Bytes; what is smaller is not worth the trouble. */
const LARGE = 65_536;

/** An operation: works on an open vault, writes its answer's body, throws what toFailure knows. */
export type Handler<V> = (vault: V, call: Call, reply: ReplyBuffer) => Outcome | undefined;

/** An operation with a request body, which it gets parsed. */
export type BodyHandler<Name extends BodyOperation> = (
  vault: WritableVault,
  call: Call,
  reply: ReplyBuffer,
  request: BodyRequest<Name>,
) => Outcome | undefined;

/** Runs `handle`; the reply's body is what it wrote. */
export function runCall(reply: ReplyBuffer, handle: () => Outcome | undefined): Reply {
  const offset = reply.length;
  try {
    const outcome = handle();
    return { ok: true, offset, length: reply.length - offset, ...outcome };
  } catch (error) {
    reply.truncate(offset);
    return toFailure(error);
  }
}

/** Runs `handle` and awaits it; for what cannot run inside a batch. */
export async function runControl(
  reply: ReplyBuffer,
  handle: () => Promise<Outcome | undefined>,
): Promise<Reply> {
  const offset = reply.length;
  try {
    const outcome = await handle();
    return { ok: true, offset, length: reply.length - offset, ...outcome };
  } catch (error) {
    reply.truncate(offset);
    return toFailure(error);
  }
}

/** Every call fails for the same reason. */
export function failAll(batch: readonly Call[], error: unknown): Reply[] {
  const failure = toFailure(error);
  return batch.map(() => failure);
}

/**
 * Request bodies hold plaintext; a batch that has been answered needs none of them. The memory goes back at once: garbage
 * of large ones would add up until it is collected.
 */
export function wipeBodies(batch: readonly Call[]): void {
  for (const { body } of batch) {
    body?.fill(0);
    if (body !== null && body.length > LARGE && !body.buffer.detached) body.buffer.transferToFixedLength(0);
  }
}

/** What a thread answers a batch with. */
export function finish(reply: ReplyBuffer, replies: readonly Reply[]): BatchResult {
  return { bytes: reply.take(), replies };
}
