/** Deleted secrets that can be restored. */
import type { Client } from '../../client/client.ts';
import type { DeletedSecret, Page } from '../../client/types.ts';

/** Returns all of them. `environment`: undefined for every one. */
export async function listDeleted(client: Client, environment?: string): Promise<DeletedSecret[]> {
  const deleted: DeletedSecret[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<DeletedSecret> = await client.listDeleted({
      environment,
      ...(cursor === null ? {} : { cursor }),
    });
    deleted.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== null);
  return deleted;
}
