/**
 * The handler that checks the vault, a page at a time: SQLite checks the file, and every row of every table is verified with its
 * key. Between two pages other requests are answered, and sealing does not wait. Holds the plaintext of one value at a time,
 * which `verifyRow` zeroes at once.
 */
import { badCursor, encodeParts, getCheckPage } from '../bodies/parameters.ts';
import type { Handler, Outcome } from '../calls.ts';
import { checkDeletions, checkSecrets, checkVersions } from '../entries/check-entries.ts';
import { type CheckedRow, findProblem, type Position } from '../entries/checked-rows.ts';
import { describeUnreadable } from '../entries/unreadable.ts';
import type { Call, CheckedTable, DamagedRow } from '../messages.ts';
import type { ReadableVault } from '../open-vault.ts';
import { withBackup } from './check-backup.ts';
import { checkAudit, checkFile, checkKeks, checkSlots, checkTokens, ROWS_POSITION } from './check-tables.ts';

type Check = (vault: ReadableVault, position: Position) => Generator<CheckedRow>;
type Checks = readonly (readonly [CheckedTable, Check])[];

/** By the table with which each begins, in the order in which they are made. */
const CHECKS: Checks = [
  ['database', checkFile],
  ['secrets', checkSecrets],
  ['versions', checkVersions],
  ['deleted', checkDeletions],
  ['tokens', checkTokens],
  ['keks', checkKeks],
  ['slots', checkSlots],
  ['audit', checkAudit],
];

/** The files of the audit log are not in a backup. */
const CHECKS_OF_COPY = CHECKS.filter(([table]) => table !== 'audit');

/** 4 MiB of ciphertext in a page, about, take some milliseconds. */
const MAX_PAGE_BYTES = 4_194_304;

/** Returns whether a call asks for the page that compares the set of rows: of the vault, or of this draft of a backup. */
export function findRowsPage(call: Call): { readonly backup: string | null } | null {
  if (call.operation !== 'vault.check' || call.params.cursor === undefined) return null;
  try {
    const [table, ...position] = getCheckPage(call).after;
    const isRows = table === 'database' && position.join() === ROWS_POSITION.join();
    return isRows ? { backup: call.params.backup ?? null } : null;
  } catch {
    // The call itself is refused for its cursor.
    return null;
  }
}

interface Page {
  readonly rows: Partial<Record<CheckedTable, number>>;
  readonly damaged: DamagedRow[];
  /** Where the next page goes on; null at the end. */
  cursor: string | null;
}

/** Parameters: `backup`, the id of a draft that is checked instead, `limit`, the rows of a page at the least if there are so many, and `cursor`. Writes `{"rows", "damaged"}`. */
export const checkVault: Handler<ReadableVault> = (vault, call, reply) => {
  const { limit, after } = getCheckPage(call);
  const page: Page = { rows: {}, damaged: [], cursor: null };
  const { backup } = call.params;
  const fill = (opened: ReadableVault, checks: Checks) => fillPage(opened, page, { checks, limit, after });
  if (backup === undefined) fill(vault, CHECKS);
  else withBackup(vault, backup, (copy) => fill(copy, CHECKS_OF_COPY));
  const { rows, damaged } = page;
  reply.raw(JSON.stringify({ rows, damaged }));
  const { damage, ...outcome } = makeOutcome(page);
  // A copy that is damaged says nothing about the vault.
  return backup !== undefined || damage === undefined ? outcome : { ...outcome, damage };
};

interface Wanted {
  readonly checks: Checks;
  readonly limit: number;
  /** A table, and a position in it; empty for the beginning. */
  readonly after: Position;
}

function fillPage(vault: ReadableVault, page: Page, { checks, limit, after }: Wanted): void {
  const [first = '', ...position] = after;
  const start = first === '' ? 0 : checks.findIndex(([table]) => table === first);
  if (start === -1) throw badCursor();
  let [left, bytes] = [limit, MAX_PAGE_BYTES];
  for (const [index, [table, check]] of checks.slice(start).entries()) {
    const rows = check(vault, index === 0 ? position : []);
    const problem = findProblem(() => {
      for (const row of rows) {
        left -= addRow(page, row);
        bytes -= row.bytes;
        if (left > 0 && bytes > 0 && row.isEnd !== true) continue;
        page.cursor = encodeParts([table, ...row.position]);
        return;
      }
    });
    // The table cannot be read to its end. The next one may be.
    if (problem !== null) page.damaged.push({ table, problem });
    if (page.cursor !== null) return;
  }
}

/** Returns how many rows were opened; one at the least, so that a page ends. */
function addRow(page: Page, { rows, damaged }: CheckedRow): number {
  let count = 0;
  for (const [table, added] of Object.entries(rows) as [CheckedTable, number][]) {
    page.rows[table] = (page.rows[table] ?? 0) + added;
    count += added;
  }
  page.damaged.push(...damaged);
  return Math.max(1, count);
}

function makeOutcome({ damaged, cursor }: Page): Outcome {
  const unreadable = damaged.find(({ problem }) => problem === 'unreadable');
  return {
    ...(cursor === null ? {} : { cursor }),
    ...(damaged.length === 0 ? {} : { warning: describeDamaged(damaged) }),
    ...(unreadable === undefined ? {} : { damage: unreadable.detail ?? `rows of ${unreadable.table}` }),
  };
}

/** Returns a line for the log. */
function describeDamaged(damaged: readonly DamagedRow[]): string {
  const named = damaged.filter(({ name }) => name !== undefined);
  const others = damaged.filter(({ name }) => name === undefined);
  const lines = others.map(({ table, id, detail, problem }) => `${table} ${id ?? ''} (${detail ?? problem})`);
  return [
    ...(named.length === 0
      ? []
      : [
          describeUnreadable(
            'check',
            named.map(({ name = '', environment = '' }) => ({ name, environment })),
          ),
        ]),
    ...(lines.length === 0 ? [] : [`check: damaged: ${lines.slice(0, 20).join(', ')}`]),
  ].join('; ');
}
