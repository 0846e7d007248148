/** The set MAC as docs/format.md describes it, computed a second time from the rows and by the slow implementation of the envelope. */
import { join } from 'node:path';
import t from 'tap';
import { FULL, importInto, open } from './fixtures/api-transfer.ts';
import { KEY_FILE } from './fixtures/made-vaults.ts';
import { type ReadRowSet, readRowSet } from './fixtures/row-set-reader.ts';
import { readKeyring } from './fixtures/stored.ts';
import type { Sandbox } from './fixtures/vault.ts';

function readSet({ databasePath, folder }: Sandbox): ReadRowSet {
  const keyring = readKeyring(databasePath, join(folder, KEY_FILE));
  const read = readRowSet(databasePath, Buffer.from(keyring.vaultId), Buffer.from(keyring.current.kek));
  keyring.destroy();
  return read;
}

t.test('row_set > computed from the rows by the description > the same counts and sums', async (t) => {
  const { ask, sandbox, close } = await open(t);
  await importInto(ask, FULL);
  for (const value of ['1', '2', '3']) await ask('PUT', '/v1/secrets/db/fields/user', { body: { value } });
  await ask('DELETE', '/v1/secrets/bytes');
  await ask('POST', '/v1/tokens', { body: { name: 't', scopes: ['read'] } });
  await close();
  const { state, tables } = readSet(sandbox);
  t.equal(state.length, 453);
  t.equal(state.subarray(0, 5).toString('latin1'), 'MAVR\u0002');
  for (const { table, stored, found } of tables) {
    t.same(stored, found, table);
    t.ok(found.count > 0, table);
  }
});

t.test('keys.rotate > reencrypt, beside writes > another set key, and the same rows', async (t) => {
  const { ask, sandbox, close } = await open(t);
  const secrets = Array.from({ length: 4_000 }, (_, index) => ({ name: `s${index}`, value: 'v' }));
  await importInto(ask, { secrets });
  await ask('POST', '/v1/keys/rotate');
  const first = readSet(sandbox).setKey;
  await ask('POST', '/v1/keys/rotate');
  t.same(readSet(sandbox).setKey, first, 'without reencrypt it is wrapped again');
  let isOver = false;
  const write = async () => {
    for (let index = 0; !isOver; index++) {
      await ask('PUT', `/v1/secrets/s${index}`, { body: { value: 'w' } });
      // A savepoint that is undone.
      await ask('PUT', `/v1/secrets/s${index}`, { body: { value: 'w' }, headers: { 'if-match': '"none"' } });
      await ask('DELETE', `/v1/secrets/s${3_999 - index}`);
    }
  };
  const writing = write();
  t.match((await ask('POST', '/v1/keys/rotate?reencrypt=true')).json, { damaged_count: 0 });
  await ask('PUT', '/v1/secrets/after', { body: { value: 'v' } });
  isOver = true;
  await writing;
  await close();
  const { setKey, tables } = readSet(sandbox);
  t.notSame(setKey, first);
  for (const { table, stored, found } of tables) t.same(stored, found, table);
});
