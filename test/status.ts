/** `mav status`: the state of the vault, and what to do. */
import { existsSync, rmSync } from 'node:fs';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { findKeyFile, MALFORMED, readStatus, settle, UNKNOWN } from './fixtures/reports.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createPassphraseVault, createSandbox, createVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

t.test('status > no vault > says what to do, exit 1', async (t) => {
  const sandbox = createSandbox(t);
  for (const form of ['table', 'json']) {
    const { code, stdout, stderr } = await mav(sandbox, ['status', '-o', form]);
    t.same([code, stderr], [1, '']);
    t.matchSnapshot(settle(stdout, sandbox), form);
  }
  t.equal(existsSync(sandbox.home), false, 'and makes nothing');
});

t.test('status > without a daemon > opens the vault by itself, exit 0', async (t) => {
  const sandbox = await createVault(t);
  await mav(sandbox, ['set', 'one', '--value', 'v']);
  for (const form of ['table', 'json']) {
    const { code, stdout, stderr } = await mav(sandbox, ['status', '-o', form]);
    t.same([code, stderr], [0, '']);
    t.matchSnapshot(settle(stdout, sandbox), form);
  }
});

t.test('status > with a daemon > says which process, and since when', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const { code, json } = await readStatus(daemon);
  t.same([code, json.daemon, json.daemon_pid], [0, 'running', daemon.child.pid]);
  t.ok(Math.abs(Date.parse(json.daemon_since) - Date.now()) < 3_600_000);
  t.matchSnapshot(settle((await mav(daemon, ['status', '-o', 'table'])).stdout, daemon));
  await mav(daemon, ['seal']);
  const sealed = await readStatus(daemon);
  t.match(sealed, { code: 5, json: { state: 'sealed', sealed: true, secret_count: null } });
  t.match(sealed.json.reason, 'mav unseal');
  t.equal(sealed.json.folder, daemon.home);
});

t.test('status > a passphrase without a daemon > sealed unless it is given in a file', async (t) => {
  const sandbox = await createPassphraseVault(t);
  const sealed = await readStatus(sandbox);
  t.match(sealed, { code: 5, json: { daemon: 'not running', sealed: true, key_stores: ['passphrase'] } });
  t.match(sealed.json.reason, 'passphrase');
  t.match(await readStatus(sandbox, ['--passphrase-file', sandbox.passphraseFile]), {
    code: 0,
    json: { sealed: false, secret_count: 0 },
  });
});

t.test(
  'status > a passphrase, on a terminal > nobody is asked',
  { skip: skipWithout('python3') },
  async (t) => {
    const sandbox = await createPassphraseVault(t);
    const { code, shown } = await mavOnTerminal(t, sandbox, ['status']).ended();
    t.equal(code, 5);
    t.matchSnapshot(settle(shown, sandbox));
  },
);

t.test('status > the key file is gone > sealed, with what to do', async (t) => {
  const sandbox = await createVault(t);
  rmSync(findKeyFile(sandbox));
  const { code, json } = await readStatus(sandbox);
  t.same([code, json.state], [5, 'sealed']);
  t.match(json.reason, 'put your copy of it back, then try again');
});

t.test('status > MAV_TOKEN > only what that token may see', async (t) => {
  const daemon = await startDaemon(t, { launched: true });
  const { token: reader } = await daemon.createToken(['read']);
  const { token: generator } = await daemon.createToken(['generate']);
  const read = await readStatus(daemon, [], { MAV_TOKEN: reader });
  t.match(read, { code: 0, json: { daemon_pid: null, vault_id: null, key_stores: null, secret_count: 0 } });
  t.equal(read.json.folder, daemon.home);
  const generated = await readStatus(daemon, [], { MAV_TOKEN: generator });
  t.match(generated, { code: 0, json: { state: 'unsealed', folder: null, secret_count: null } });
  t.match(await readStatus(daemon, [], { MAV_TOKEN: UNKNOWN }), { code: 4, json: null });
  t.match(await readStatus(daemon, [], { MAV_TOKEN: MALFORMED }), { code: 4, json: null });
  await mav(daemon, ['seal']);
  t.match(await readStatus(daemon, [], { MAV_TOKEN: reader }), { code: 5, json: { sealed: true } });
  await daemon.stop();
  t.match(await readStatus(daemon, [], { MAV_TOKEN: reader }), { code: 1, json: null });
});
