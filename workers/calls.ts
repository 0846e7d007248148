/**
 * Runs one call and makes a reply of what it wrote or threw. The bytes of a failed call are zeroed at once; those of the
 * others stay in the ReplyBuffer, which the caller hands on.
 */
import type { BodyOperation, BodyRequest } from './bodies/schemas.ts';
import { toFailure } from './failures.ts';
import type { ReplyBuffer } from './json/reply.ts';
import type { Call, Reply, Success } from './messages.ts';
import type { WritableVault } from './open-vault.ts';

/** What an operation returns beside the body that it writes. */
export type Outcome = Pick<Success, 'cursor' | 'etag' | 'principals' | 'warning' | 'damage'>;

/** Bytes. Smaller bodies may wait for the garbage collector. */
const LARGE = 65_536;

/** An operation on an unsealed vault. Writes the body of the reply; throws errors that `toFailure` knows. */
export type Handler<V> = (vault: V, call: Call, reply: ReplyBuffer) => Outcome | undefined;

/** An operation with a parsed request body, which the caller zeroes. */
export type BodyHandler<Name extends BodyOperation> = (
  vault: WritableVault,
  call: Call,
  reply: ReplyBuffer,
  request: BodyRequest<Name>,
) => Outcome | undefined;

/** Runs `handle`. The reply's body is what `handle` wrote. */
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

/** As runCall, for an operation that waits for something and so cannot run inside a batch. */
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

/** Returns the same failure as the reply to each call. */
export function failAll(batch: readonly Call[], error: unknown): Reply[] {
  const failure = toFailure(error);
  return batch.map(() => failure);
}

/**
 * Zeroes the request bodies of a batch, which hold plaintext, after their last use. The memory of large bodies is freed at
 * once, because it would add up before the garbage collector runs.
 */
export function wipeBodies(batch: readonly Call[]): void {
  for (const { body } of batch) {
    body?.fill(0);
    if (body !== null && body.length > LARGE && !body.buffer.detached) body.buffer.transferToFixedLength(0);
  }
}
