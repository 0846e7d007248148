/** The keys that a KEK has wrapped are counted, never too low, and the owner hears when they are many. */
import Database from 'better-sqlite3';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { keepWraps, reserveWraps } from '../workers/entries/wrap-count.ts';
import type { Keyring } from '../workers/keys/keyring.ts';
import type { VaultStore } from '../workers/store/vault.ts';
import { ask } from './fixtures/ask.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';
import { mav } from './fixtures/vault.ts';

const BLOCK = 65_536;

t.test('keks > wraps > counted in blocks, from each rotation again, and said at 2^40', async (t) => {
  const daemon = await startDaemon(t);
  const token = readSessionToken(locateSessionToken(daemon.env, daemon.socket));
  const status = async () => (await ask(daemon.socket, 'GET', '/v1/status', { token })).json;
  const before = (await status()).kek_wraps;
  const put = (name: string) => daemon.ask('PUT', `/v1/secrets/${name}`, { body: { value: 'v' } });
  await put('a');
  t.equal((await status()).kek_wraps, before + BLOCK, 'the first write counts a block');
  await put('b');
  t.equal((await status()).kek_wraps, before + BLOCK, 'the next one has room in it');
  const db = new Database(daemon.databasePath);
  t.teardown(() => db.close());
  db.exec(`UPDATE keks SET wraps = ${2 ** 40}`);
  t.match((await mav(daemon, ['status', '-o', 'table'])).stdout, /rotation +the key has wrapped 2\^40 keys/);
  t.match((await mav(daemon, ['doctor'])).stdout, /the key has wrapped 2\^40 keys; run: mav key rotate/);
  await ask(daemon.socket, 'POST', '/v1/unseal', { token });
  const isWarned = () => daemon.log().some(({ detail }) => /the key has wrapped 2\^40 keys/.test(detail));
  await waitUntil(isWarned);
  t.equal((await mav(daemon, ['key', 'rotate'])).code, 0);
  t.ok((await status()).kek_wraps < 4 * BLOCK, 'the new one has wrapped these rows');
  t.notMatch((await mav(daemon, ['status', '-o', 'table'])).stdout, /rotation/);
});

t.test(
  'reserveWraps > more than a block was wrapped > all of it is counted, once it is committed',
  async (t) => {
    const counted: number[] = [];
    const keyring = { wrapCount: 3 * BLOCK, current: { id: Buffer.alloc(16) } };
    const vault = { countWraps: (_id: Uint8Array, count: number) => counted.push(count) };
    const open = { keyring: keyring as unknown as Keyring, vault: vault as unknown as VaultStore };
    const reserved = reserveWraps(open);
    t.ok(reserved > keyring.wrapCount);
    t.equal(reserveWraps(open), reserved, 'a transaction that was rolled back counts nothing');
    keepWraps(open, reserved);
    t.equal(reserveWraps(open), reserved);
    t.same(counted, [reserved, reserved], 'and the third had nothing to count');
    keyring.wrapCount = reserved;
    t.equal(reserveWraps(open), reserved + BLOCK);
  },
);
