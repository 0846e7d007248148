/** The client library against a real daemon, and from another program. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { Client } from '../src/client/client.ts';
import type { Outgoing } from '../src/client/connection.ts';
import { connect, MaestroVaultError } from '../src/client/index.ts';
import { matchRoute } from '../src/http/router.ts';
import { routes } from '../src/routes.ts';
import { startDaemon } from './fixtures/daemon.ts';

const root = dirname(import.meta.dirname);

t.setTimeout(300_000);

/** Every method once, with names that need encoding. */
const NAME = 'a/b c:field?&#%ü';

const place = { environment: 'prod/eu' };

const calls: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  health: (client) => client.health(),
  openapi: (client) => client.openapi(),
  'secrets.list': (client) =>
    client.listSecrets({ ...place, metadataKey: 'k', metadataValue: 'v', limit: 3 }),
  'secrets.search': (client) => client.search('q&a', { limit: 3 }),
  'secrets.get': (client) => client.getSecret(NAME, place),
  'secrets.batchGet': (client) =>
    client.batchGet([
      { name: NAME, ...place },
      { name: NAME, field: 'f/g' },
    ]),
  'values.get': (client) => client.getValue(NAME, place),
  'secrets.put': (client) => client.putSecret(NAME, { value: 'v' }, place),
  'values.put': (client) => client.putValue(NAME, 'v', place),
  'secrets.patch': (client) => client.patchSecret(NAME, { value: 'v' }, place),
  'secrets.delete': (client) => client.deleteSecret(NAME, place),
  'secrets.versions': (client) => client.listVersions(NAME, place),
  'secrets.rollback': (client) => client.rollbackSecret(NAME, 1, place),
  'secrets.restore': (client) => client.restoreSecret(NAME, place),
  'secrets.purge': (client) => client.purgeSecret(NAME, place),
  'secrets.deleted': (client) => client.listDeleted(place),
  'changes.list': (client) => client.watchChanges({ ...place, signal: AbortSignal.timeout(50) }).next(),
  'secrets.accept': (client) => client.acceptSecret(NAME, place),
  'secrets.rename': (client) => client.renameSecret(NAME, { name: 'b' }, place),
  'secrets.export': (client) => client.exportSecrets(place),
  'secrets.import': (client) => client.importSecrets([{ name: NAME, value: 'v' }], { dryRun: true }),
  'fields.list': (client) => client.listFields(NAME, place),
  'fields.putMany': (client) => client.putFields(NAME, { f: 'v' }, place),
  'fields.get': (client) => client.getFieldEntry(NAME, 'f/g', place),
  'fields.put': (client) => client.putFieldEntry(NAME, 'f/g', 'v', place),
  'fieldValues.get': (client) => client.getField(NAME, 'f/g', place),
  'fieldValues.put': (client) => client.putField(NAME, 'f/g', 'v', place),
  'fields.delete': (client) => client.deleteField(NAME, 'f/g', place),
  'passwords.generate': (client) => client.generate({ length: 8 }),
  'vault.info': (client) => client.info(),
  'tokens.list': (client) => client.listTokens(),
  'tokens.create': (client) => client.createToken({ name: 'n', scopes: ['read'] }),
  'tokens.get': (client) => client.getToken('0123456789abcdef'),
  'tokens.self': (client) => client.getOwnToken(),
  'tokens.rotate': (client) => client.rotateToken('0123456789abcdef', { overlap: '1h' }),
  'tokens.revoke': (client) => client.revokeToken('0123456789abcdef'),
  'audit.list': (client) => client.listAudit({ name: 'a*', environment: 'e', token: 'session' }),
  'audit.verify': (client) => client.verifyAudit(),
  'audit.reads': (client) => client.listReads('session'),
  'approvals.list': (client) => client.listApprovals({ wait: 1 }),
  'approvals.approve': (client) => client.approve('0123456789abcdef'),
  'approvals.deny': (client) => client.deny('0123456789abcdef'),
  'vault.status': (client) => client.status(),
  'vault.unseal': (client) => client.unseal(),
  'vault.seal': (client) => client.seal(),
  'keys.rotate': (client) => client.rotateKek(),
  'keys.list': (client) => client.listKeys(),
  'audit.forget': (client) => client.forgetSegment('1'),
  'keys.add': (client) => client.addKey({ kind: 'keychain' }),
  'keys.remove': (client) => client.removeKey('0123abcd'),
  'keys.newRecoveryCode': (client) => client.newRecoveryCode(),
  'vault.recover': (client) => client.recover({ recovery_code: 'a', kind: 'keychain' }),
  'keys.changePassphrase': (client) => client.changePassphrase({ passphrase: 'a', new_passphrase: 'b' }),
  'vault.check': (client) => client.check(),
  'vault.backup': (client) => client.makeBackup(),
  'vault.destroy': (client) => client.destroy(),
};

t.test(
  'client > compared with the route table > a method for every endpoint, and its names arrive',
  async (t) => {
    t.same(Object.keys(calls).sort(), routes.map(({ operation }) => operation).sort());
    for (const [operation, call] of Object.entries(calls)) {
      const sent: Outgoing[] = [];
      const client = new Client(async (outgoing) => {
        sent.push(outgoing);
        return { status: 200, headers: {}, body: Buffer.from('{}') };
      }, null);
      await call(client);
      t.equal(sent.length, 1, operation);
      const { method, target } = sent[0]!;
      const { route, params } = matchRoute(method, target);
      t.equal(route.operation, operation, operation);
      if (route.path.includes(':name'))
        t.same([params.name, params.env], [NAME, place.environment], operation);
      if (route.path.includes(':field')) t.equal(params.field, 'f/g', operation);
    }
  },
);

t.test('client > a real daemon > what was stored comes back, and errors say status and code', async (t) => {
  const daemon = await startDaemon(t);
  const client = connect({ socketPath: daemon.socket, token: daemon.admin });
  t.teardown(() => client.close());
  await client.putSecret('db', { value: 'v', metadata: { owner: 'me' } }, place);
  const binary = Buffer.from([0, 255, 10]);
  await client.putField('db', 'cert', binary, place);
  const secret = await client.getSecret('db', place);
  t.match(secret, {
    name: 'db',
    environment: 'prod/eu',
    value: 'v',
    metadata: { owner: 'me' },
    field_count: 1,
  });
  t.same(secret.fields, { cert: { value: binary.toString('base64'), encoding: 'base64' } });
  t.same(Buffer.from(await client.getField('db', 'cert', place)), binary);
  await client.patchSecret('db', { value: binary }, { ...place, ifMatch: secret.etag });
  t.same(Buffer.from(await client.getValue('db', place)), binary);
  await t.rejects(client.patchSecret('db', { value: 'x' }, { ...place, ifMatch: secret.etag }), {
    name: 'MaestroVaultError',
    status: 412,
    code: 'precondition_failed',
  });
  t.match(
    await client.batchGet([
      { name: 'db', ...place },
      { name: 'db', field: 'cert', ...place },
      { name: 'db' },
    ]),
    [
      { value: binary.toString('base64'), encoding: 'base64', metadata: { owner: 'me' } },
      { environment: 'prod/eu', field: 'cert', value: binary.toString('base64'), encoding: 'base64' },
      { name: 'db', environment: '', code: 'not_found' },
    ],
  );
  await t.rejects(client.batchGet([]), { status: 400, code: 'bad_request' });
  await t.rejects(client.getSecret('db'), { status: 404, code: 'not_found' });
  const stranger = connect({ socketPath: daemon.socket, token: `mvt_${'0'.repeat(64)}` });
  t.teardown(() => stranger.close());
  await t.rejects(stranger.info(), { status: 401, code: 'unauthorized' });
  t.ok((await stranger.health()).time, 'and the connection goes on');
  const error = await client.getSecret('nope').catch((thrown: unknown) => thrown);
  t.ok(error instanceof MaestroVaultError);
});

t.test('client > pages > lead from one to the next', async (t) => {
  const daemon = await startDaemon(t);
  const client = connect({ socketPath: daemon.socket, token: daemon.admin });
  t.teardown(() => client.close());
  await Promise.all(Array.from({ length: 25 }, (_, index) => client.putValue(`n & ${index}`, 'v')));
  const names: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await client.listSecrets({ limit: 10, cursor: cursor ?? undefined });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.cursor;
  } while (cursor !== null);
  t.equal(new Set(names).size, 25);
});

t.test('client > the daemon was restarted > the next request finds the new one', async (t) => {
  const first = await startDaemon(t);
  const client = connect({ socketPath: first.socket, token: first.admin });
  t.teardown(() => client.close());
  await client.putValue('a', 'v');
  await first.stop();
  await t.rejects(client.getValue('a'), { code: 'ENOENT' });
  const second = await startDaemon(t, { sandbox: first, init: null, token: false });
  t.equal(Buffer.from(await client.getValue('a')).toString(), 'v');
  await second.stop();
});

t.test('connect > no token > a TypeError that says so', async (t) => {
  t.throws(() => connect({ token: '', socketPath: '/tmp/x' }), TypeError);
});

/** A folder in which the package is installed. */
function installPackage(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'mav-consumer-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/maestrovault'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}

t.test('maestrovault/client > from another program, with a token > works, and lets it end', async (t) => {
  const daemon = await startDaemon(t);
  const folder = installPackage(t);
  writeFileSync(
    join(folder, 'program.js'),
    `import { connect } from 'maestrovault/client';
     const vault = connect();
     await vault.putSecret('k', { value: 'stored by a program' });
     process.stdout.write((await vault.getSecret('k')).value);`,
  );
  const { token } = await daemon.createToken(['read', 'write']);
  const stdout = execFileSync(process.execPath, ['program.js'], {
    cwd: folder,
    env: { ...daemon.env, MAV_TOKEN: token },
    encoding: 'utf8',
    timeout: 20_000,
  });
  t.equal(stdout, 'stored by a program');
});

t.test('maestrovault/client > its types > check in a strict program that uses them', async (t) => {
  const folder = installPackage(t);
  writeFileSync(
    join(folder, 'program.ts'),
    `import { connect, MaestroVaultError, type Secret, type VaultClient } from 'maestrovault/client';
     const vault: VaultClient = connect({ token: 't' });
     export const secret: Secret = await vault.getSecret('a', { environment: 'b' });
     try { await vault.deleteSecret('a'); } catch (error) {
       if (error instanceof MaestroVaultError && error.code === 'not_found') console.log(error.status + 1);
     }
     // @ts-expect-error a number is no name
     await vault.getSecret(1);`,
  );
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    // tap puts its own loader into the NODE_OPTIONS of every child; the compiler does not start with it.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, tsc, ...options, ...typeRoots, 'program.ts'];
    execFileSync('env', command, { cwd: folder, encoding: 'utf8' });
    t.pass('no error');
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout: string; stderr: string; message: string };
    t.fail(stdout || stderr || message);
  }
});
