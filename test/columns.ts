/**
 * A new column stands in the schema and in the column list. It also stands in the row digest, in the request bodies and in
 * the replies, or a list here says why not.
 */

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { bodyJsonSchema } from '../workers/bodies/schemas.ts';
import { encodeContext } from '../workers/envelope/context.ts';
import { type BoundRow, digestRow } from '../workers/envelope/row-digest.ts';
import type { FieldRow, SecretRow, TokenRow } from '../workers/store/columns.ts';
import {
  DELETED_COLUMNS,
  FIELD_COLUMNS,
  KEK_COLUMNS,
  SECRET_COLUMNS,
  SEGMENT_COLUMNS,
  SLOT_COLUMNS,
  TOKEN_COLUMNS,
  VERSION_COLUMNS,
} from '../workers/store/columns.ts';
import { SCHEMA } from '../workers/store/schema.ts';
import type { SignedToken } from '../workers/tokens/token-macs.ts';

/** Columns that the list of their table leaves out, with the reason. */
const UNLISTED = {
  fields: { secret_id: 'the caller gives it, and knows it when it reads' },
  old_fields: {
    secret_id: 'the caller gives it, and knows it when it reads',
    until: 'the caller gives it; it only says which versions have the field',
  },
} as const;

const LISTS = {
  secrets: SECRET_COLUMNS,
  fields: FIELD_COLUMNS,
  versions: VERSION_COLUMNS,
  old_fields: FIELD_COLUMNS,
  deleted: DELETED_COLUMNS,
  tokens: TOKEN_COLUMNS,
  slots: SLOT_COLUMNS,
  keks: KEK_COLUMNS,
  audit_segments: SEGMENT_COLUMNS,
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
  fieldCount: 'the fields themselves are bound, and reading compares their number',
  wrappedDek: 'it is the wrap',
  payload: 'it has a tag of its own, under the DEK that the wrap holds',
};

t.test(
  'columns > of secrets and fields > each is in the digest, in the context, or says why not',
  async (t) => {
    const row = {
      ...{ id: 1, metadata: '{}', createdAt: 1, updatedAt: 2, writtenBy: 'a', accepted: 0, fields: [] },
      ...{ expiresAt: 0, rotateBy: 0, confirm: 0, revision: 1, change: 'set' },
    };
    const changed = {
      ...{ id: 2, metadata: '{ }', createdAt: 3, updatedAt: 3, writtenBy: 'b', accepted: 1 },
      ...{ expiresAt: 1, rotateBy: 1, confirm: 1, revision: 2, change: 'edit' },
    };
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

/** Why clients give no member of this name. A secret's members are those of an import, which has all that can be given. */
const NOT_GIVEN = {
  secrets: {
    id: 'SQLite chooses it',
    version: 'the vault counts it',
    wrapped_dek: 'the vault encrypts',
    field_count: 'clients give the fields themselves',
    written_by: 'the vault knows the principal',
    accepted: 'it follows from the principal, and from accepting',
    revision: 'the vault counts it',
    change: 'it follows from the operation',
    payload: 'clients give the value',
  },
  tokens: {
    id: 'the vault draws it',
    hash: 'the vault draws the token',
    created_at: 'the vault knows the time',
    expires_at: 'clients give expires_in',
    limits: 'clients give environments, names and fields',
    uses: 'the vault counts them',
    last_used_at: 'the vault knows the time',
    kek_id: 'the vault signs the row',
    mac: 'the vault signs the row',
  },
} as const;

/** Why clients get no member of this name. */
const NOT_SHOWN = {
  secrets: {
    id: 'clients name a secret by name and environment',
    revision: 'clients know it as `version`',
    change: 'the list of versions shows it',
    wrapped_dek: 'it is ciphertext',
    payload: 'clients get the value',
  },
  tokens: {
    hash: 'it would let others look for the token',
    kek_id: 'it is for verifying the row',
    mac: 'it is for verifying the row',
  },
} as const;

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly items: Schema;
}

const { components } = JSON.parse(
  readFileSync(new URL('../src/http/openapi.json', import.meta.url), 'utf8'),
) as {
  components: { schemas: Record<'Secret' | 'Token', Schema> };
};
const importBody = bodyJsonSchema('secrets.import') as unknown as { properties: { secrets: Schema } };

const GIVEN = {
  secrets: importBody.properties.secrets.items,
  tokens: bodyJsonSchema('tokens.create') as unknown as Schema,
};
const SHOWN = { secrets: components.schemas.Secret, tokens: components.schemas.Token };

for (const table of ['secrets', 'tokens'] as const) {
  t.test(`columns > ${table} > each is a member of the body, or says why not`, async (t) => {
    compareMembers(t, table, GIVEN[table], NOT_GIVEN[table]);
  });

  t.test(`columns > ${table} > each is a member of the reply, or says why not`, async (t) => {
    compareMembers(t, table, SHOWN[table], NOT_SHOWN[table]);
  });
}

/** Members have the names of their columns. A reason for a column that is a member, or is not there, is out of date. */
function compareMembers(
  t: Test,
  table: keyof typeof LISTS,
  { properties }: Schema,
  reasons: Readonly<Record<string, string>>,
): void {
  const columns = Object.values<string>(LISTS[table]);
  const others = columns.filter((column) => !Object.hasOwn(properties, column));
  t.ok(columns.length > others.length, 'some columns are members');
  t.same(Object.keys(reasons).toSorted(), others.toSorted());
}
