/**
 * A token's holder attacks the owner's programs: whatever a token wrote, under whatever name, reaches no program of the
 * owner's that was not told to take it by its name.
 */
import t from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { shareDaemon } from './fixtures/shared-daemon.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { mav } from './fixtures/vault.ts';

t.setTimeout(300_000);

const SHOW = ['--', process.execPath, '-e', 'process.stdout.write(JSON.stringify(process.env))'];

const emptied = await shareDaemon(t);

/** With one entry of the owner's, which has a field, and a way to ask with a token that may write. */
async function open({ trusted = false }: { trusted?: boolean } = {}) {
  const daemon = await emptied();
  const own = (args: string[], input?: string) => mav(daemon, args, input === undefined ? {} : { input });
  const done = async (args: string[], input?: string) => {
    const { code, stdout, stderr } = await own(args, input);
    if (code !== 0) throw new Error(`mav ${args[0]}: ${stderr}`);
    return { stdout, stderr };
  };
  await done(['set', 'kept'], 'owners');
  await done(['set', 'kept', '--field', 'user'], 'root');
  const made = await done([
    ...['token', 'create', '--name', 'attacker', '--scope', 'read,write,generate', '-o', 'json'],
    ...(trusted ? ['--trusted'] : []),
  ]);
  const { token, id } = JSON.parse(made.stdout);
  const ask = (method: string, target: string, body?: unknown) => daemon.ask(method, target, { token, body });
  const exec = async (...options: string[]) => {
    const { stdout, stderr } = await done(['exec', ...options, ...SHOW]);
    return { env: JSON.parse(stdout) as Record<string, string>, stderr };
  };
  return { daemon, own, done, ask, exec, id, token };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Each makes KEPT or EVIL the token's; answers which entry is left out then. */
const ATTACKS: Readonly<
  Record<string, (opened: Opened) => Promise<readonly [name: string, variable: string]>>
> = {
  'an entry of a new name': async ({ ask }) => {
    await ask('PUT', '/v1/secrets/npm-config-evil', { value: 'evil' });
    return ['npm-config-evil', 'NPM_CONFIG_EVIL'];
  },
  'an entry of a harmless name': async ({ ask }) => {
    await ask('PUT', '/v1/secrets/evil', { value: 'evil' });
    return ['evil', 'EVIL'];
  },
  'a value, with PUT': async ({ ask }) => {
    await ask('PUT', '/v1/secrets/kept', { value: 'evil' });
    return ['kept', 'KEPT'];
  },
  'a value, with PATCH': async ({ ask }) => {
    await ask('PATCH', '/v1/secrets/kept', { value: 'evil' });
    return ['kept', 'KEPT'];
  },
  'a field': async ({ ask }) => {
    await ask('PUT', '/v1/secrets/kept/fields/user', { value: 'evil' });
    return ['kept', 'KEPT_USER'];
  },
  'a new field': async ({ ask }) => {
    await ask('PUT', '/v1/secrets/kept/fields', { fields: { evil: 'evil' } });
    return ['kept', 'KEPT_EVIL'];
  },
  'metadata alone': async ({ ask }) => {
    await ask('PATCH', '/v1/secrets/kept', { metadata: { a: 1 } });
    return ['kept', 'KEPT'];
  },
  'a field less': async ({ ask }) => {
    await ask('DELETE', '/v1/secrets/kept/fields/user');
    return ['kept', 'KEPT'];
  },
  'another name for the owner’s value': async ({ ask }) => {
    await ask('POST', '/v1/secrets/kept/rename', { name: 'evil' });
    return ['evil', 'EVIL'];
  },
  'an import over it': async ({ ask }) => {
    await ask('POST', '/v1/import', { secrets: [{ name: 'kept', value: 'evil' }] });
    return ['kept', 'KEPT'];
  },
  'an import of a new one': async ({ ask }) => {
    await ask('POST', '/v1/import', { secrets: [{ name: 'evil', fields: { evil: 'evil' } }] });
    return ['evil', 'EVIL_EVIL'];
  },
  'delete and put': async ({ ask }) => {
    await ask('DELETE', '/v1/secrets/kept');
    await ask('PUT', '/v1/secrets/kept', { value: 'evil' });
    return ['kept', 'KEPT'];
  },
  'a generated password': async ({ ask }) => {
    await ask('POST', '/v1/generate', { name: 'evil' });
    return ['evil', 'EVIL'];
  },
  'a field, the owner another one after it': async ({ ask, done }) => {
    await ask('PUT', '/v1/secrets/kept/fields/evil', { value: 'evil' });
    await done(['set', 'kept', '--field', 'user'], 'mine');
    return ['kept', 'KEPT_EVIL'];
  },
  'a field, the owner the whole after it': async ({ ask, daemon }) => {
    await ask('PUT', '/v1/secrets/kept/fields/evil', { value: 'evil' });
    await daemon.ask('PATCH', '/v1/secrets/kept', { token: daemon.admin, body: { metadata: {} } });
    return ['kept', 'KEPT_EVIL'];
  },
};

for (const [what, attack] of Object.entries(ATTACKS)) {
  t.test(`exec > a token wrote ${what} > the program does not get it, and the owner is told`, async (t) => {
    const opened = await open();
    t.match((await opened.exec()).env, { KEPT: 'owners', KEPT_USER: 'root' });
    const [name, variable] = await attack(opened);
    const left = await opened.exec();
    t.equal(left.env[variable], undefined);
    t.notOk(Object.values(left.env).includes('evil'));
    t.match(left.stderr, new RegExp(`left out, because you neither .* then: mav accept ${name}\n`));
    t.match((await opened.exec('--quiet')).stderr, `mav accept ${name}`, 'with -q too');
    const shell = await opened.done(['env']);
    t.notOk(shell.stdout.includes(`${variable}=`));
    t.match(shell.stderr, `mav accept ${name}`);
    const seen = (await opened.daemon.ask('GET', '/v1/secrets', { token: opened.daemon.admin })).json;
    const [shown] = seen.filter((row: { name: string }) => row.name === name);
    t.match(shown, { accepted: false });
    if (what.startsWith('a') && !what.includes('owner the') && !what.includes('owner another'))
      t.equal(shown.written_by, opened.id);
    if (!variable.startsWith('NPM_'))
      t.ok((await opened.exec('--only', name)).env[variable], 'by its name it is taken');
    const refused = await opened.ask('POST', `/v1/secrets/${name}/accept`);
    t.equal(refused.status, 403, 'a token accepts nothing');
    await opened.done(['accept', name, '--force']);
    const after = await opened.exec();
    if (variable.startsWith('NPM_')) t.match(after.stderr, 'which decides how programs run');
    else t.ok(after.env[variable], 'accepted');
    t.notMatch(after.stderr, 'neither wrote nor accepted');
  });
}

t.test('exec > an unaccepted secret on top of the default one > neither is taken', async (t) => {
  const { ask, exec } = await open();
  await ask('PUT', '/v1/secrets/kept?env=prod', { value: 'evil' });
  const { env, stderr } = await exec('--env', 'prod');
  t.equal(env.KEPT, undefined);
  t.match(stderr, 'mav accept kept --env prod');
});

t.test('exec > a trusted token wrote it > taken, and shown as its', async (t) => {
  const { ask, exec, daemon, done, id } = await open({ trusted: true });
  await ask('PUT', '/v1/secrets/ci', { value: 'given' });
  t.equal((await exec()).env.CI, 'given');
  const entry = await daemon.ask('GET', '/v1/secrets/ci', { token: daemon.admin });
  t.match(entry.json, { written_by: id, accepted: true });
  // In the order of their making, which may be the same second.
  const tokens: { id: string }[] = JSON.parse((await done(['token', 'list', '-o', 'json'])).stdout);
  t.match(
    tokens.find((token) => token.id === id),
    { trusted: true },
  );
});

t.test('token create > trusted, asked for with an admin token > forbidden', async (t) => {
  const { daemon } = await open();
  const body = { name: 'x', scopes: ['write'], trusted: true };
  const { status, json } = await daemon.ask('POST', '/v1/tokens', { token: daemon.admin, body });
  t.match(
    { status, json },
    { status: 403, json: { code: 'forbidden', member: 'trusted', problem: undefined } },
  );
});

const skip = skipWithout('python3');

t.test('accept > a token writes after it was shown > nothing is accepted', { skip }, async (t) => {
  const { daemon, ask, done, exec, id } = await open();
  await ask('PATCH', '/v1/secrets/kept', { metadata: { note: 1 } });
  await ask('PUT', '/v1/secrets/kept/fields/host', { value: 'harmless' });
  await ask('PUT', `/v1/secrets/kept/fields/${encodeURIComponent('user, port')}`, { value: 'v' });
  const terminal = mavOnTerminal(t, daemon, ['accept', 'kept']);
  const shown = await terminal.see('Accept kept? [y/N] ');
  t.match(shown, `written by  the token ${id} ("attacker"), 20`);
  t.match(shown, `field       host (new or changed, by the token ${id} ("attacker"))\n`);
  t.match(shown, 'yours       user\n');
  t.match(shown, 'metadata    note\n');
  t.match(shown, 'field       "user, port" (new or changed', 'no name passes for several');
  t.notMatch(shown, 'harmless');
  await ask('PUT', '/v1/secrets/kept/fields/host', { value: 'evil' });
  terminal.type('y\r');
  const { code, shown: all } = await terminal.ended();
  t.equal(code, 1);
  t.match(
    all,
    'mav: kept was written or deleted after it was shown; look at it again; nothing was accepted\n',
  );
  t.notOk(Object.values((await exec()).env).includes('evil'));
  const again = mavOnTerminal(t, daemon, ['accept', 'kept', '--reveal']);
  t.match(
    await again.see('[y/N] '),
    `field       host (new or changed, by the token ${id} ("attacker")): evil\n`,
  );
  again.type('y\r');
  t.match(await again.ended(), { code: 0, shown: /Accepted kept\.\n$/ });
  t.equal((await exec()).env.KEPT_HOST, 'evil');
  const { stderr } = await done(['accept', 'kept']);
  t.equal(stderr, 'Nothing is left to accept in: kept.\n');
});

t.test(
  'accept > several, of which one was changed meanwhile > says which were accepted',
  { skip },
  async (t) => {
    const { daemon, ask } = await open();
    for (const name of ['a', 'b', 'c']) await ask('PUT', `/v1/secrets/${name}`, { value: 'given' });
    const terminal = mavOnTerminal(t, daemon, ['accept', 'a', 'b', 'c', 'a']);
    await terminal.see('Accept a, b, c? [y/N] ');
    await ask('DELETE', '/v1/secrets/b');
    terminal.type('y\r');
    const { code, shown } = await terminal.ended();
    t.equal(code, 1);
    t.match(
      shown,
      'b was written or deleted after it was shown; look at it again; accepted before that: a\n',
    );
    const list = (await daemon.ask('GET', '/v1/secrets', { token: daemon.admin })).json;
    const accepted = list.map((row: { name: string; accepted: boolean }) => [row.name, row.accepted]);
    t.same(Object.fromEntries(accepted), { a: true, c: false, kept: true });
  },
);

t.test('accept > nobody can be asked, a name is missing, a token asks > nothing is accepted', async (t) => {
  const { daemon, ask, own, token } = await open();
  await ask('PUT', '/v1/secrets/ci?env=prod', { value: 'given' });
  t.match(await own(['accept', 'mav://prod/ci']), {
    code: 2,
    stderr: /written by {2}the token .*give --force\n$/s,
  });
  t.match(await own(['accept', 'kept', 'none', '-f']), { code: 3, stderr: /no secret "none"/ });
  const asToken = await mav(daemon, ['accept', 'ci', '-e', 'prod', '-f'], { env: { MAV_TOKEN: token } });
  t.match(asToken, { code: 4, stderr: /no token may accept a secret/ });
  const entry = await daemon.ask('GET', '/v1/secrets/ci?env=prod', { token: daemon.admin });
  t.equal(entry.json.accepted, false);
  const { stdout } = await own([
    'accept',
    'ci',
    'mav://prod/ci',
    'mav:///kept',
    '-e',
    'prod',
    '-f',
    '-o',
    'json',
  ]);
  t.equal(stdout, '', 'a reference and --env contradict each other');
  const json = await own(['accept', 'mav://prod/ci', 'kept', '-f', '-o', 'json']);
  const [added, before] = [
    { name: 'ci', environment: 'prod' },
    { name: 'kept', environment: '', written_by: 'session' },
  ];
  t.match(JSON.parse(json.stdout), { accepted: [added], unchanged: [before] });
});

t.test('secret > a token wrote a field > the entry names it until it is accepted', async (t) => {
  const { daemon, ask, done, id } = await open();
  const read = async () => (await daemon.ask('GET', '/v1/secrets/kept', { token: daemon.admin })).json;
  t.equal((await read()).unaccepted_fields, undefined);
  await ask('PUT', '/v1/secrets/kept/fields', { fields: { host: 'x', user: 'y' } });
  t.same((await read()).unaccepted_fields, { host: id, user: id });
  await done(['set', 'kept', '--field', 'user'], 'mine');
  t.same((await read()).unaccepted_fields, { host: id });
  const exported = (await done(['export'])).stdout;
  t.match(exported, `"unaccepted_fields":{"host":"${id}"}`);
  t.match(
    (await mav(daemon, ['import', '-', '--force'], { input: exported })).stderr,
    'Already so: 1 (kept)',
  );
  await done(['accept', 'kept', '-f']);
  t.equal((await read()).unaccepted_fields, undefined);
});
