/** The set MAC of a real vault, computed a second time from its rows, as docs/format.md describes it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { FULL, importInto, open } from './fixtures/api-transfer.ts';
import { readLog } from './fixtures/audit-files.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { context, lp, wrap, xChaCha20Poly1305 } from './fixtures/reference.ts';
import { addUp, COVERED, cover, openState, rowNumber } from './fixtures/row-set-reader.ts';
import { readKeyring } from './fixtures/stored.ts';

/** Throws an Error if the wrap is not of this KEK. */
function unwrapSetKey(kek: Buffer, vaultId: Buffer, wrapped: Buffer): Buffer {
  const [keyId, nonce] = [wrapped.subarray(5, 21), wrapped.subarray(21, 45)];
  const key = xChaCha20Poly1305(kek, nonce, wrapped.subarray(45, 77), Buffer.alloc(0)).subarray(0, 32);
  const ctx = context({ vaultId, kind: 'rows', environment: '', name: 'key', field: '', version: 0 });
  const digest = createHash('sha256').update(lp('mav.v5.row-set-key')).digest();
  if (!wrap({ wrappingKey: kek, keyId, nonce, key, ctx, digest }).equals(wrapped))
    throw new Error('the key of the row set is not genuine');
  return key;
}

t.test(
  'row_set > computed from the rows by the description > the same counts, sums and end of the log',
  async (t) => {
    const { ask, sandbox, close } = await open(t);
    await importInto(ask, FULL);
    for (const value of ['1', '2', '3']) await ask('PUT', '/v1/secrets/db/fields/user', { body: { value } });
    await ask('DELETE', '/v1/secrets/bytes');
    await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
    await close();
    const keyring = readKeyring(sandbox.databasePath, join(sandbox.folder, KEY_FILE));
    const [vaultId, kek] = [Buffer.from(keyring.vaultId), Buffer.from(keyring.current.kek)];
    keyring.destroy();
    const db = new Database(sandbox.databasePath, { readonly: true });
    t.teardown(() => db.close());
    const { epoch, written_at, wrapped_key, state } = db.prepare<[], any>('SELECT * FROM row_set').get();
    const setKey = unwrapSetKey(kek, vaultId, wrapped_key);
    t.equal(state.length, 453);
    const sums = openState(setKey, { vaultId, epoch, writtenAt: written_at }, state);
    for (const [index, [table, columns]] of COVERED.entries()) {
      const rows = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all();
      const numbers = rows.map((row) =>
        rowNumber(setKey, vaultId, table, cover(columns.map((column) => row[column]))),
      );
      const stored = sums.subarray(index * 40, (index + 1) * 40);
      t.equal(Number(stored.readBigInt64BE()), rows.length, table);
      t.equal(stored.subarray(8).toString('hex'), addUp(numbers).toString('hex'), table);
      t.ok(rows.length > 0, table);
    }
    const head = sums.subarray(360);
    const [segment, bytes] = [Number(head.readBigUint64BE()), Number(head.readBigUint64BE(8))];
    t.equal(db.prepare('SELECT count(*) FROM audit_segments WHERE id = ?').pluck().get(segment), 1);
    const mac = head.subarray(16).toString('base64url');
    t.ok(bytes > 0 && readLog(sandbox).includes(`{"mac":"${mac}"}\n`));
  },
);
