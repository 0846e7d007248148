/** What `mav` writes as a docker file, and what docker and kubectl make of it. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { createVaultWith } from './fixtures/transfer.ts';
import { finished, mav } from './fixtures/vault.ts';

const LINES = {
  SPACES: '  x  ',
  HASH: '#x # y',
  QUOTES: '"q" \'q\'',
  DOLLAR: '$HOME ${X}',
  BACKSLASH: '\\n\\',
  EQUALS: '=x',
  UNICODE: 'é😀',
  TAB: '\tx\t',
};

t.test('env -o docker > a line break, or more than 64 KiB > an error that names the variable', async (t) => {
  const sandbox = await createVaultWith(t, {
    FINE: 'x',
    PEM: 'hunter2\nhunter2',
    OLD: 'hunter2\r',
    LONG: 'x'.repeat(65_531),
  });
  for (const command of ['env', 'export']) {
    const broken = await mav(sandbox, [command, '-o', 'docker']);
    t.same([broken.code, broken.stdout], [1, '']);
    t.match(broken.stderr, 'a line break: OLD, PEM;');
    t.notMatch(broken.stderr, 'hunter2');
    const long = await mav(sandbox, [command, '-o', 'docker', '--only', 'LONG,FINE']);
    t.match([long.code, long.stderr], [1, 'more than 64 KiB: LONG;']);
  }
});

t.test(
  'env -o docker > kubectl > creates the values from it',
  { skip: skipWithout('kubectl') },
  async (t) => {
    const sandbox = await createVaultWith(t, { ...LINES, LONG: 'x'.repeat(65_530) });
    const path = join(sandbox.folder, 'docker.env');
    t.equal((await mav(sandbox, ['export', '-o', 'docker', '--to', path])).code, 0);
    const args = [
      'create',
      'secret',
      'generic',
      's',
      `--from-env-file=${path}`,
      '--dry-run=client',
      '-o',
      'json',
    ];
    const { stdout, stderr } = spawnSync('kubectl', args, { env: sandbox.env, encoding: 'utf8' });
    t.equal(stderr, '');
    const data: Record<string, string> = JSON.parse(stdout).data;
    const read = Object.entries(data).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]);
    t.same(Object.fromEntries(read), { ...LINES, LONG: 'x'.repeat(65_530) });
  },
);

t.test(
  'env -o docker > docker --env-file > hands the values to the container',
  { skip: skipWithout('docker') },
  async (t) => {
    const sandbox = await createVaultWith(t, LINES);
    const path = join(sandbox.folder, 'docker.env');
    writeFileSync(path, (await mav(sandbox, ['env', '-o', 'docker'])).stdout);
    const socket = join(sandbox.folder, 'docker.sock');
    const asked: string[] = [];
    // Stands in for Docker's daemon, of which only the request is wanted.
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        if (request.url?.includes('/containers/create')) asked.push(body);
        response.writeHead(request.url?.includes('/_ping') ? 200 : 500, { 'Api-Version': '1.41' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    t.teardown(() => server.close());
    const env = { ...sandbox.env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: sandbox.folder };
    await finished(spawn('docker', ['create', '--pull', 'never', '--env-file', path, 'image'], { env }));
    t.equal(asked.length, 1);
    const given: string[] = JSON.parse(asked[0] ?? '{}').Env;
    t.same(new Set(given), new Set(Object.entries(LINES).map(([name, value]) => `${name}=${value}`)));
  },
);
