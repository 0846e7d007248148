/** `mav inject`: templates whose references become values. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { serveStored, store } from './fixtures/variables.ts';
import { BIN, createSandbox, type Finished, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

async function testInject(t: Test, sandbox: Sandbox, env: NodeJS.ProcessEnv): Promise<void> {
  const bytes = Buffer.from([0, 0xff, 0x0d, 0x0a]);
  const template = Buffer.concat([
    bytes,
    Buffer.from(
      '{{ mav:///db-password }}{{mav://prod/db#host}} {{ other }} {{{ mav:///db-password\t}}} {{ mav:///bytes }}',
    ),
    bytes,
  ]);
  const expected = Buffer.concat([
    bytes,
    Buffer.from('{{ mav:///db#host }}localhost {{ other }} {{{ mav:///db#host }}} '),
    Buffer.from([0, 0xfe]),
    bytes,
  ]);
  const from = join(sandbox.folder, 'template');
  const to = join(sandbox.folder, 'output');
  writeFileSync(from, template);
  writeFileSync(to, 'before', { mode: 0o644 });
  const { code, stdout, stderr } = await mav(sandbox, ['inject', '-i', from, '-o', to], { env });
  t.same([code, stdout, stderr], [0, '', '']);
  t.ok(readFileSync(to).equals(expected));
  t.equal(statSync(to).mode & 0o777, 0o600);
  const piped = spawnSync(process.execPath, [BIN, 'inject', '-i', '-', '--output', '-'], {
    env: { ...sandbox.env, ...env },
    input: template,
  });
  t.ok(piped.stdout.equals(expected));
}

t.test('inject > references in any bytes > become values, and nothing else changes', async (t) => {
  const daemon = await startDaemon(t);
  // What looks like a reference in a value stays what it is.
  await store(daemon, 'db-password', '{{ mav:///db#host }}');
  await store(daemon, 'bytes', Buffer.from([0, 0xfe]));
  await store(daemon, 'db', 'localhost', { environment: 'prod', field: 'host' });
  await testInject(t, daemon, {});
  const { token } = await daemon.createToken(['read']);
  await testInject(t, daemon, { MAV_TOKEN: token });
  await daemon.stop();
  await testInject(t, daemon, {});
});

/** Stops the daemon, so that its log is whole, and counts the requests that it answered by the path of their route. */
async function countRequests(daemon: Daemon): Promise<Map<string, number>> {
  await daemon.stop();
  const counts = new Map<string, number>();
  for (const { route } of daemon.log()) if (route) counts.set(route, (counts.get(route) ?? 0) + 1);
  return counts;
}

t.test('inject > many references > asked for by the hundred, each but once', async (t) => {
  const daemon = await startDaemon(t);
  const bytes = Buffer.from([0, 0xfe]).toString('base64');
  const secrets = Array.from({ length: 250 }, (_, at) => ({
    name: `n${at}`,
    ...(at % 2 === 0 ? { value: `v${at}` } : { value: bytes, encoding: 'base64' }),
    fields: { f: `field of ${at}` },
  }));
  t.equal((await daemon.ask('POST', '/v1/import', { body: { secrets } })).status, 200);
  const slots = secrets.map(({ name }, at) =>
    at % 3 === 0 ? `{{ mav:///${name}#f }}` : `{{ mav:///${name} }}`,
  );
  const { code, stdout } = await mav(daemon, ['inject', '-o', '-'], {
    input: [...slots, ...slots].join('\n'),
  });
  t.equal(code, 0);
  const values = secrets.map(({ fields, value }, at) =>
    at % 3 === 0 ? fields.f : at % 2 === 0 ? value : Buffer.from(bytes, 'base64').toString(),
  );
  t.equal(stdout, [...values, ...values].join('\n'));
  const counts = await countRequests(daemon);
  t.equal(counts.get('/v1/secrets/batch-get'), 3);
  t.notOk(counts.has('/v1/secrets/:name/value'), 'and nothing one by one');
});

t.test('inject, exec > more than one batch holds > had all the same', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const stored = names.map((name) => [name, name.repeat(900_000)] as const);
  const daemon = await serveStored(t, [...stored, ['a', 'short', { environment: 'prod' }]]);
  const input = names.map((name) => `{{ mav:///${name} }}`).join('\n');
  const { code, stdout } = await mav(daemon, ['inject'], { input });
  t.equal(code, 0);
  t.ok(stdout === names.map((name) => name.repeat(900_000)).join('\n'));
  const env = await mav(daemon, ['env', '-o', 'json', '--only', names.join(), '--env', 'prod']);
  t.equal(env.code, 0);
  t.ok(
    isDeepStrictEqual(JSON.parse(env.stdout), {
      ...Object.fromEntries(names.map((name) => [name.toUpperCase(), name.repeat(900_000)])),
      A: 'short',
    }),
  );
  const counts = await countRequests(daemon);
  t.equal(counts.get('/v1/secrets/:name/value'), stored.length + 1 + names.length, 'stored, then one by one');
  t.equal(counts.get('/v1/secrets/:name'), names.length, 'those of the batch that was too large');
});

t.test('inject > one of many fails > is named, and what it does not spoil is had', async (t) => {
  const daemon = await serveStored(t, [
    ['db', 'v'],
    ['db', 'canary', { field: 'bad' }],
    ['fields-only', 'of a field', { field: 'f' }],
  ]);
  const db = new Database(daemon.databasePath);
  db.prepare(`UPDATE fields SET updated_at = updated_at + 1 WHERE field = 'bad'`).run();
  db.close();
  const inject = (input: string, env = {}) => mav(daemon, ['inject'], { input, env });
  const good = await inject('{{ mav:///db }} {{ mav:///fields-only#f }}');
  t.same([good.code, good.stdout], [0, 'v of a field']);
  const { token } = await daemon.createToken(['write']);
  const long = 'n'.repeat(513);
  const cases: readonly (readonly [Finished, number, string])[] = [
    [
      await inject('{{ mav:///db }} {{ mav:///db#bad }}'),
      1,
      'mav:///db#bad: stored data failed its integrity',
    ],
    [await inject('{{ mav:///fields-only }}'), 3, 'nothing stored for mav:///fields-only (line 1)'],
    [
      await inject(`{{ mav:///db }} {{ mav:///${long} }}`),
      2,
      `mav:///${long}: "name" must be at most 512 bytes`,
    ],
    [
      await inject('{{ mav:///db }}', { MAV_TOKEN: token }),
      4,
      'mav:///db: the token does not have the scope',
    ],
  ];
  for (const [{ code, stdout, stderr }, wanted, message] of cases) {
    t.same([code, stdout], [wanted, ''], message.slice(0, 40));
    t.ok(stderr.includes(message), message.slice(0, 40));
    t.notMatch(stderr, 'canary');
  }
});

t.test('inject > what cannot be done > writes nothing and says where', async (t) => {
  const sandbox = await serveStored(t, [['db', 'canary']]);
  const from = join(sandbox.folder, 'template');
  const to = join(sandbox.folder, 'output');
  const run = (target = to) => mav(sandbox, ['inject', '-i', from, '-o', target]);
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      '{{ mav:///db }}\n\n{{ mav:///no%20one }} {{ mav://prod/db#x }}',
      3,
      /mav:\/\/\/no%20one \(line 3\), mav:\/\/prod\/db#x \(line 3\)/,
    ],
    ['\n{{ mav://db }}', 2, /line 2: not a reference: "mav:\/\/db"/],
    ['\n{{ mav:///db# }}', 2, /line 2: not a reference: "mav:\/\/\/db#"/],
    ['\n\n{{ mav:///db\n}}', 2, /line 3: a reference is not ended/],
    ['{{ mav:/db }}', 2, /line 1: not a reference/],
  ];
  for (const [template, code, message] of cases) {
    writeFileSync(from, template);
    const refused = await run();
    t.equal(refused.code, code, template);
    t.match(refused.stderr, message);
    t.notMatch(refused.stderr, 'canary');
    t.notOk(existsSync(to));
  }
  writeFileSync(from, '{{ mav:///db }}');
  const link = join(sandbox.folder, 'link');
  symlinkSync(from, link);
  const linked = await run(link);
  t.equal(linked.code, 1);
  t.match(linked.stderr, 'is a symbolic link');
  t.ok(lstatSync(link).isSymbolicLink());
  t.match((await run(join(sandbox.folder, 'no/such/folder'))).stderr, 'cannot be written: ENOENT');
  t.equal((await run(from)).code, 2, 'the template itself');
  t.equal((await run('')).code, 2);
  t.equal((await mav(sandbox, ['inject', '-i', join(sandbox.folder, 'none')])).code, 1);
  t.equal(readFileSync(from, 'utf8'), '{{ mav:///db }}');
  t.same(
    readdirSync(sandbox.folder).filter((name) => name.endsWith('.new')),
    [],
  );
});

t.test('inject > a template without references > needs no vault', async (t) => {
  const sandbox = createSandbox(t);
  const { code, stdout } = await mav(sandbox, ['inject'], { input: 'plain {{ x }}\n' });
  t.same([code, stdout], [0, 'plain {{ x }}\n']);
});

t.test(
  'inject > nothing to read but a terminal > says what to give',
  { skip: skipWithout('script') },
  (t) => {
    const sandbox = createSandbox(t);
    const command = `'${process.execPath}' '${BIN}' inject`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: sandbox.env,
      encoding: 'utf8',
    });
    t.match(stdout, 'give a template with -i FILE');
    t.end();
  },
);
