/** Opens every row of the vault, page by page, so that others are served between two pages. */
import type { Client } from '../../client/client.ts';
import type { CheckedTable, DamagedRow } from '../../client/types.ts';
import type { Input } from '../run/command.ts';
import { Progress } from '../terminal/progress.ts';

/** Some milliseconds of a reader's time. */
const PAGE_ROWS = 500;

export interface CheckReport {
  /** How many rows of each table were opened. */
  readonly rows: Readonly<Record<CheckedTable, number>>;
  readonly damaged: readonly DamagedRow[];
}

/** `onPage` is called with the number of rows that were opened until then. `backup`: the id of a draft that is checked instead. */
export async function checkVault(
  client: Pick<Client, 'check'>,
  onPage: (done: number) => void = () => {},
  backup?: string,
): Promise<CheckReport> {
  const rows: Record<CheckedTable, number> = {
    ...{ database: 0, secrets: 0, fields: 0, versions: 0, old_fields: 0, deleted: 0, tokens: 0 },
    ...{ keks: 0, slots: 0, audit: 0 },
  };
  const damaged: DamagedRow[] = [];
  let [done, cursor]: [number, string | undefined] = [0, undefined];
  do {
    const page = await client.check({ limit: PAGE_ROWS, cursor, backup });
    for (const [table, count] of Object.entries(page.rows) as [CheckedTable, number][]) {
      rows[table] += count;
      done += count;
    }
    damaged.push(...page.damaged);
    onPage(done);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return { rows, damaged };
}

/** As checkVault, and shows on a terminal how far it is. */
export async function checkShowing(input: Input, client: Client): Promise<CheckReport> {
  const progress = new Progress(input);
  try {
    return await checkVault(client, (done) => progress.show(`Opening every row: ${done}`));
  } finally {
    progress.end();
  }
}
