/** The handler of the rotation of the KEK. Hands a passphrase on, which the rotation zeroes. */
import type { Outcome } from '../calls.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { DamagedRow } from '../messages.ts';
import type { Rotation } from '../rotation/rotation.ts';
import type { LeftRow } from '../store/left-wraps.ts';

/**
 * Begins a rotation and replies at its end, with what could not be wrapped again. `onBegun` is called in between: nothing that
 * happens after it undoes the rotation.
 */
export async function rotateKek(
  rotation: Rotation,
  passphrase: Uint8Array | null,
  reencrypts: boolean,
  reply: ReplyBuffer,
  onBegun: () => Promise<void>,
): Promise<Outcome> {
  const begun = await rotation.begin(passphrase, reencrypts);
  await onBegun();
  const { generation, left, kept } = await begun.end;
  const counts = { status: 'rotated', kek_generation: generation, kept_generations: kept };
  reply.raw(JSON.stringify({ ...counts, damaged: left.named.map(describeRow), damaged_count: left.count }));
  return left.count === 0 ? {} : { warning: `rotation: rows that could not be wrapped again: ${left.count}` };
}

/** A name is null where the version that had the field is gone. */
function describeRow({ kekId: _, ...row }: LeftRow): DamagedRow {
  const known = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  return { ...known, table: row.table, problem: 'changed' };
}
