/** What the vault keeps of what is replaced or deleted. config.json says so, as whoever has the vault open has read it. */
import type { Client } from '../../client/client.ts';
import { hasErrorCode } from '../run/failure.ts';

export interface Kept {
  readonly hasOldVersions: boolean;
  readonly hasDeleted: boolean;
}

/** Returns null if the token may not know. */
export async function readKept(client: Client): Promise<Kept | null> {
  try {
    const { keep_versions: versions, keep_deleted_days: days } = await client.info();
    return { hasOldVersions: versions > 1, hasDeleted: days > 0 };
  } catch (error) {
    if (hasErrorCode(error, 'forbidden')) return null;
    throw error;
  }
}
