/**
 * Attacks on the rows that hold the keys: somebody who may write vault.db, but has no key, flips their bits and puts other
 * blobs in their place. The vault stays sealed.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodeContext } from '../../workers/envelope/context.ts';
import { unwrapRootKey, wrapRootKey } from '../../workers/envelope/slot.ts';
import {
  type Attacked,
  askAsSession,
  flipBits,
  listBlobs,
  serveAttacked,
  WITNESS,
} from '../fixtures/attacked.ts';
import { startDaemon } from '../fixtures/daemon.ts';
import { type Row, StoredFile } from '../fixtures/stored.ts';
import { CANARY } from '../fixtures/tampered.ts';
import { createSandbox } from '../fixtures/vault.ts';

t.setTimeout(300_000);

/** Why an unsealing and a reading were not refused as those of a sealed vault. */
async function findUnsealed(ask: Attacked['ask'], what: string, body?: object): Promise<string[]> {
  const unsealed = await ask('POST', '/v1/unseal', body);
  const read = await ask('GET', WITNESS);
  return [unsealed, read].every(({ status, json }) => status === 503 && json?.code === 'sealed')
    ? []
    : [`${what}: ${unsealed.status}, reading ${read.status}`];
}

t.test('unseal > any bit of the wrapped KEK flipped, or any other blob in its place > sealed', async (t) => {
  const attacked = await serveAttacked(t);
  const { file, ask, daemon } = attacked;
  const [kek] = file.rows('keks') as [Row];
  const blobs = (['secrets', 'fields', 'tokens'] as const).flatMap((table) =>
    listBlobs(table, file.rows(table)),
  );
  await ask('POST', '/v1/seal');
  const problems: string[] = [];
  let bits = 0;
  for (const column of ['wrapped', 'id', 'generation', 'created_at']) {
    for (const value of flipBits(kek[column])) {
      file.write({ keks: [{ ...kek, [column]: value }] });
      problems.push(...(await findUnsealed(ask, `${column}, bit ${bits}`)));
      bits += 1;
    }
  }
  for (const { bytes, column } of [...blobs, { bytes: kek.id, column: 'id' }]) {
    file.write({ keks: [{ ...kek, wrapped: bytes }] });
    problems.push(...(await findUnsealed(ask, `${column} as the wrap`)));
  }
  t.same(problems.slice(0, 20), []);
  t.comment(`figure: ${bits} bits of a KEK's row flipped, ${blobs.length + 1} blobs put in its wrap's place`);
  file.write({ keks: [kek] });
  t.equal((await ask('POST', '/v1/unseal')).status, 200, 'it opens when put back');
  t.equal((await ask('GET', WITNESS)).json.value, `${CANARY} witness`);
  await daemon.stop();
  const sealed = daemon.log().filter(({ code }) => code === 'sealed');
  t.equal(sealed.length, 2 * (bits + blobs.length + 1), 'every refusal is in the log');
});

const PASSPHRASE = 'a passphrase of this test';
/** So that the same root key can be asked for a thousand times. */
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

t.test('unseal > any bit of a passphrase slot flipped > sealed, whatever the passphrase', async (t) => {
  const sandbox = createSandbox(t);
  const passphraseFile = join(sandbox.folder, 'passphrase');
  writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const init = ['--key-store', 'passphrase', '--passphrase-file', passphraseFile];
  const daemon = await startDaemon(t, { sandbox, init, token: false });
  const ask = askAsSession(daemon);
  const file = new StoredFile(sandbox.databasePath);
  t.teardown(() => file.close());
  const [slot] = file.rows('slots') as [Row];
  const place = { environment: '', name: 'passphrase', field: '', version: 0 };
  const ctx = encodeContext({ vaultId: file.vaultId(), kind: 'slot', ...place });
  const passphrase = Buffer.from(PASSPHRASE);
  const blob = wrapRootKey(passphrase, unwrapRootKey(passphrase, slot.blob, ctx), ctx, CHEAP);
  const body = { passphrase: PASSPHRASE };
  const problems: string[] = [];
  let bits = 0;
  for (const changed of flipBits(blob)) {
    file.write({ slots: [{ ...slot, blob: changed }] });
    problems.push(...(await findUnsealed(ask, `bit ${bits}`, body)));
    bits += 1;
  }
  t.same(problems.slice(0, 20), []);
  t.equal(bits, blob.length * 8);
  t.comment(`figure: ${bits} bits of a passphrase slot flipped one by one`);
  file.write({ slots: [{ ...slot, blob }] });
  t.equal((await ask('POST', '/v1/unseal', body)).status, 200, 'it opens when put back');
  const { stdout, stderr } = await daemon.stop();
  t.notOk((stdout + stderr).includes(PASSPHRASE), 'the passphrase is not in the log');
});
