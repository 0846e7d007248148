/** Limited tokens on the command line: making, showing and rotating them, and working with one. */
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { mav } from './fixtures/vault.ts';

const daemon = await startDaemon(t);
await daemon.ask('PUT', '/v1/secrets/deploy%2Fkey?env=prod', { body: { value: 'allowed' } });
await daemon.ask('PUT', '/v1/secrets/db?env=prod', { body: { value: 'hunter2' } });

const run = (args: readonly string[], token?: string) =>
  mav(token === undefined ? daemon : { ...daemon, env: { ...daemon.env, MAV_TOKEN: token } }, args);
const LIMITS = ['--environments', 'prod', '--names', 'deploy/**,ci/*'];
const idOf = (said: string) => /[0-9a-f]{16}/.exec(said)?.[0] ?? '';

t.test('token create > with limits > says what it reaches, and reaches nothing else', async (t) => {
  const { code, stdout, stderr } = await run(['token', 'create', '--name', 'd', '--preset', 'ci', ...LIMITS]);
  t.equal(code, 0);
  t.match(stderr, /It reaches only: environments prod; names deploy\/\*\*, ci\/\*\./);
  t.notMatch(stderr, /No secret that exists/);
  const token = stdout.trim();
  t.match(await run(['list', '-o', 'names'], token), { code: 0, stdout: 'deploy/key\n' });
  t.match(await run(['get', 'deploy/key', '-e', 'prod'], token), { code: 0, stdout: 'allowed' });
  for (const args of [
    ['get', 'db', '-e', 'prod'],
    ['delete', '--force', 'db', '-e', 'prod'],
    ['rename', 'db', 'deploy/db', '-e', 'prod'],
  ]) {
    const refused = await run(args, token);
    t.match(refused, { code: args[0] === 'get' ? 3 : /[34]/, stdout: '' }, args.join(' '));
    t.notMatch(refused.stderr, /hunter2/);
  }
});

t.test('token create > limits that match nothing, or are missing > said', async (t) => {
  const make = ['token', 'create', '--name', 'd'];
  t.match(
    (await run([...make, '--scope', 'read', '--names', 'none/*'])).stderr,
    /No secret that exists now matches/,
  );
  t.match(await run([...make, '--preset', 'agent']), { code: 2, stderr: /a preset needs limits/ });
  t.match(await run([...make, '--preset', 'x', ...LIMITS]), { code: 2, stderr: /one of ci, agent/ });
  t.match(await run([...make, '--scope', 'read', '--not-before', 'soon']), {
    code: 2,
    stderr: /must be a time/,
  });
});

t.test('token show > an ID, or the token that asks > what it may do', async (t) => {
  const made = await run(['token', 'create', '--name', 'shown', '--preset', 'agent', ...LIMITS]);
  const id = idOf(made.stderr);
  const byOwner = await run(['token', 'show', id]);
  t.match(byOwner.stdout, /^id +[0-9a-f]{16}\nname +shown\nscopes +read\nreaches +environments prod; names/);
  const own = await run(['token', 'show'], made.stdout.trim());
  t.equal(own.stdout.replace(/last used.*/, ''), byOwner.stdout.replace(/last used.*/, ''));
  t.match(await run(['token', 'show']), { code: 0, stdout: /^id +session\n/ });
  t.match(await run(['token', 'show', 'none']), { code: 3 });
  t.strictSame(JSON.parse((await run(['token', 'show', id, '-o', 'json'])).stdout).limits, [
    { environments: ['prod'], names: ['deploy/**', 'ci/*'] },
  ]);
});

t.test('token create > --max-uses > so many requests, and then no more', async (t) => {
  const make = ['token', 'create', '--name', 'counted', '--scope', 'read', '--max-uses'];
  const made = await run([...make, '1', ...LIMITS]);
  t.match(made.stderr, /It may make one request\./);
  t.match(await run(['get', 'deploy/key', '-e', 'prod'], made.stdout.trim()), { code: 0, stdout: 'allowed' });
  t.match(await run(['get', 'deploy/key', '-e', 'prod'], made.stdout.trim()), { code: 4, stdout: '' });
  t.match((await run(['token', 'show', idOf(made.stderr)])).stdout, /^uses +1 of 1$/m);
  t.match(await run([...make, 'x']), { code: 2, stderr: /whole number/ });
});

t.test('token rotate > with an overlap > both work, with the same limits', async (t) => {
  const made = await run(['token', 'create', '--name', 'old', '--scope', 'read', ...LIMITS]);
  const rotated = await run(['token', 'rotate', idOf(made.stderr), '--overlap', '1h']);
  t.match(rotated, { code: 0, stderr: /ends in 1h\. It is shown this once/ });
  for (const { stdout } of [made, rotated])
    t.match(await run(['list', '-o', 'names'], stdout.trim()), { code: 0, stdout: 'deploy/key\n' });
  const self = await run(['token', 'rotate', idOf(rotated.stderr)], rotated.stdout.trim());
  t.match(self, { code: 0, stderr: /is revoked/ });
  t.match(await run(['list'], rotated.stdout.trim()), { code: 4 }, 'the old one');
  t.match(await run(['list', '-o', 'names'], self.stdout.trim()), { code: 0, stdout: 'deploy/key\n' });
});

t.test(
  'token list > limited tokens on a terminal > a column says what they reach',
  { skip: skipWithout('python3') },
  async (t) => {
    await run(['token', 'create', '--name', 'seen', '--scope', 'read', '--fields', 'user,@value']);
    const { shown } = await mavOnTerminal(t, daemon, ['token', 'list'], {}, 160).ended();
    t.match(shown, /REACHES/);
    t.match(shown, /fields user, the value itself/);
  },
);
