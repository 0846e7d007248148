/** The set MAC as docs/format.md describes it, computed a second time from the rows and by the slow implementation of the envelope. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { FULL, importInto, open } from './fixtures/api-transfer.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { context, hmacSha512256, lp, u64, xChaCha20Poly1305 } from './fixtures/reference.ts';
import { readKeyring } from './fixtures/stored.ts';

const TABLES: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ['secrets', ['wrapped_dek']],
  ['fields', ['wrapped_dek']],
  ['versions', ['wrapped_dek']],
  ['old_fields', ['wrapped_dek', 'secret_id', 'until']],
  ['deleted', ['secret_id', 'name', 'environment', 'deleted_at']],
  ['tokens', ['mac']],
  ['slots', ['mac']],
  ['keks', ['id', 'generation', 'wrapped', 'created_at']],
  ['audit_segments', ['wrapped_key']],
];

/** XChaCha20-Poly1305 by its encryption, which is its own inverse. Throws if the tag is wrong. */
function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer, aad: Buffer): Buffer {
  const ciphertext = sealed.subarray(0, -16);
  const plaintext = xChaCha20Poly1305(key, nonce, ciphertext, aad).subarray(0, ciphertext.length);
  if (!xChaCha20Poly1305(key, nonce, plaintext, aad).equals(sealed)) throw new Error('a wrong tag');
  return plaintext;
}

const literal = (value: unknown) =>
  value === null
    ? 'NULL'
    : `X'${Buffer.from(Buffer.isBuffer(value) ? value : String(value))
        .toString('hex')
        .toUpperCase()}'`;

function cover(row: Record<string, unknown>, columns: readonly string[]): Buffer {
  const values = columns.map((column) => row[column]);
  return values.length === 1 ? (values[0] as Buffer) : Buffer.from(values.map(literal).join(','));
}

t.test('row_set > computed from the rows by the description > the same counts and sums', async (t) => {
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
  const place = { vaultId, kind: 'rows', environment: '', field: '' } as const;
  const digest = createHash('sha256').update(lp('mav.v5.row-set-key')).digest();
  const header = wrapped_key.subarray(0, 45);
  const keyAad = Buffer.concat([header, context({ ...place, name: 'key', version: 0 }), digest]);
  const setKey = decrypt(kek, wrapped_key.subarray(21, 45), wrapped_key.subarray(45), keyAad);
  const stateKey = hmacSha512256(setKey, Buffer.concat([lp('mav.v5.row-set-state'), lp(vaultId)]));
  t.equal(state.length, 453);
  t.equal(state.subarray(0, 5).toString('latin1'), 'MAVR\u0002');
  const ctx = context({ ...place, name: '', version: epoch });
  const stateAad = Buffer.concat([state.subarray(0, 5), ctx, u64(written_at)]);
  const sums = decrypt(stateKey, state.subarray(5, 29), state.subarray(29), stateAad);
  for (const [index, [table, columns]] of TABLES.entries()) {
    const rowKey = hmacSha512256(setKey, Buffer.concat([lp('mav.v5.row-set'), lp(vaultId), lp(table)]));
    const rows = db.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all();
    const numbers = rows.map((row) =>
      BigInt(`0x${hmacSha512256(rowKey, cover(row, columns)).toString('hex')}`),
    );
    const sum = numbers.reduce((one, other) => (one + other) % 2n ** 256n, 0n);
    const stored = sums.subarray(index * 40, (index + 1) * 40);
    t.equal(Number(stored.readBigInt64BE()), rows.length, table);
    t.equal(stored.subarray(8).toString('hex'), sum.toString(16).padStart(64, '0'), table);
    t.ok(rows.length > 0, table);
  }
});
