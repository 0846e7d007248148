/** The handler of the rotation of the KEK, and of the root key with it. Holds the root key until the new KEK is wrapped, and zeroes it. */
import type { BodyRequest } from '../bodies/schemas.ts';
import type { Outcome } from '../calls.ts';
import { BodyError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { DamagedRow } from '../messages.ts';
import type { AddGeneration, Rotation, RotationKind } from '../rotation/rotation.ts';
import type { LeftRow } from '../store/left-wraps.ts';
import type { Vault } from '../vault.ts';
import { type RenewedRootKey, renewRootKey } from './renew-root-key.ts';

/** What a rotation works with. */
export interface Rotating {
  readonly vault: Vault;
  readonly rotation: Rotation;
  /** Called when the rotation has begun: nothing that happens after it undoes it. */
  readonly onBegun: () => Promise<void>;
}

/**
 * Begins a rotation and replies at its end, with what could not be wrapped again. Secrets of the request are zeroed by the caller.
 * Throws BodyError for members that only a new root key needs.
 */
export async function rotateKek(
  { vault, rotation, onBegun }: Rotating,
  kind: RotationKind,
  request: BodyRequest<'keys.rotate'>,
  reply: ReplyBuffer,
): Promise<Outcome> {
  let renewed: RenewedRootKey | null = null;
  const addUnderOld: AddGeneration = async (store) => {
    const { passphrase } = request;
    store(await vault.readRootKey(passphrase ?? null), () => {});
  };
  const addUnderNew: AddGeneration = async (store) => {
    renewed = await renewRootKey(vault, request, store);
  };
  if (!kind.isOfRoot) refuseRootMembers(request);
  const begun = await rotation.begin(kind, kind.isOfRoot ? addUnderNew : addUnderOld);
  await onBegun();
  const { generation, left, kept } = await begun.end;
  const counts = { status: 'rotated', kek_generation: generation, kept_generations: kept };
  const damaged = { damaged: left.named.map(describeRow), damaged_count: left.count };
  reply.raw(JSON.stringify({ ...counts, ...damaged, root_key: renewed }));
  return left.count === 0 ? {} : { warning: `rotation: rows that could not be wrapped again: ${left.count}` };
}

function refuseRootMembers(request: BodyRequest<'keys.rotate'>): void {
  for (const member of ['recovery_code', 'drop_recovery'] as const)
    if (request[member] !== undefined) throw new BodyError(`${member} goes with root=true`, { member });
}

/** A name is null where the version that had the field is gone. */
function describeRow({ kekId: _, ...row }: LeftRow): DamagedRow {
  const known = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
  return { ...known, table: row.table, problem: 'changed' };
}
