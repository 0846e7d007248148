/** A new column stands in the schema, in the column list, and in the row digest or in a list that says why not. */

import Database from 'better-sqlite3';
import t from 'tap';
import { encodeContext } from '../workers/envelope/context.ts';
import { type BoundRow, digestRow } from '../workers/envelope/row-digest.ts';
import type { FieldRow, SecretRow, TokenRow } from '../workers/store/columns.ts';
import {
  FIELD_COLUMNS,
  KEK_COLUMNS,
  SECRET_COLUMNS,
  SLOT_COLUMNS,
  TOKEN_COLUMNS,
} from '../workers/store/columns.ts';
import { SCHEMA } from '../workers/store/schema.ts';
import type { SignedToken } from '../workers/tokens/token-macs.ts';

/** Columns that the list of their table leaves out, with the reason. */
const UNLISTED = {
  fields: { secret_id: 'the caller gives it, and knows it when it reads' },
} as const;

const LISTS = {
  secrets: SECRET_COLUMNS,
  fields: FIELD_COLUMNS,
  tokens: TOKEN_COLUMNS,
  slots: SLOT_COLUMNS,
  keks: KEK_COLUMNS,
} as const;

t.test('columns > every table > its list has every column of the schema, and no other', async (t) => {
  const db = new Database(':memory:');
  db.exec(SCHEMA);
  for (const [table, columns] of Object.entries(LISTS)) {
    const unlisted = Object.keys((UNLISTED as Record<string, object>)[table] ?? {});
    const listed = [...Object.values<string>(columns), ...unlisted];
    const found = db.prepare<[], string>(`SELECT name FROM pragma_table_info('${table}')`).pluck().all();
    t.same(listed.toSorted(), found.toSorted(), table);
  }
  db.close();
});

type InContext = 'name' | 'environment' | 'field' | 'version';

/** Why the wrap of a secret's or field's row does not vouch for these columns. A missing one does not compile. */
const NOT_BOUND: Readonly<
  Record<Exclude<keyof SecretRow | keyof FieldRow, keyof BoundRow | InContext>, string>
> = {
  id: 'SQLite chooses it; it stands for nothing',
  fieldCount: 'the fields themselves are bound, and reading compares their number',
  wrappedDek: 'it is the wrap',
  payload: 'it has a tag of its own, under the DEK that the wrap holds',
};

t.test(
  'columns > of secrets and fields > each is in the digest, in the context, or says why not',
  async (t) => {
    const row = { metadata: '{}', createdAt: 1, updatedAt: 2, writtenBy: 'a', accepted: 0, fields: [] };
    const changed = { metadata: '{ }', createdAt: 3, updatedAt: 3, writtenBy: 'b', accepted: 1 };
    const context = { name: 'n', environment: 'e', field: 'f', version: 1 };
    const changedContext = { name: 'm', environment: 'd', field: 'g', version: 2 };
    const encode = (given: typeof context) =>
      encodeContext({ kind: 'field', vaultId: Buffer.alloc(16), ...given }).toString('hex');
    for (const key of new Set([...Object.keys(SECRET_COLUMNS), ...Object.keys(FIELD_COLUMNS)])) {
      if (Object.hasOwn(changed, key)) {
        const other = { ...row, [key]: changed[key as keyof typeof changed] };
        t.notSame(digestRow(other), digestRow(row), `${key} changes the digest`);
      } else if (Object.hasOwn(context, key)) {
        const other = { ...context, [key]: changedContext[key as keyof typeof context] };
        t.not(encode(other), encode(context), `${key} changes the context`);
      } else t.ok(Object.hasOwn(NOT_BOUND, key), `${key} says why it is not bound`);
    }
  },
);

/** Why a token's MAC does not cover these columns. A missing one does not compile. */
const NOT_SIGNED: Readonly<Record<Exclude<keyof TokenRow, keyof SignedToken>, string>> = {
  lastUsedAt: 'it grants nothing, and is written without a key at hand',
  kekId: 'it names the key of the MAC',
  mac: 'it is the MAC',
};

t.test('columns > of tokens > those that are not signed grant nothing', async (t) => {
  t.strictSame(Object.keys(NOT_SIGNED).toSorted(), ['kekId', 'lastUsedAt', 'mac']);
});
