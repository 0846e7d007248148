/**
 * README.md, followed line by line on a fresh account: what it says to type is typed into shells on terminals, from
 * the packed package on, and must do what it says. As root the account is another user's, who owns no other file.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Account, copyCheckout, createAccount, Shell } from './fixtures/account.ts';
import { readBlocks, readCommands } from './fixtures/markdown.ts';
import { skipWithout } from './fixtures/programs.ts';
import { serveRegistry } from './fixtures/registry.ts';

const root = dirname(import.meta.dirname);
const README = readFileSync(join(root, 'README.md'), 'utf8');
const TARBALL = 'maestrovault-0.1.0.tgz';
const PASSPHRASE = 'a passphrase of some words';
/** They take minutes, and the first would run this test again. */
const NOT_FOLLOWED = ['npm ci && npm test', 'npm run test:hard', 'npm run bench'];
const SERVE = 'mav serve --init';
const skip = skipWithout('python3', 'npm', 'tar', 'curl');

/** Types a command, which must succeed and print what its comment says. */
async function follow(t: Test, shell: Shell, command: string): Promise<string[]> {
  const { code, lines } = await shell.run(command);
  t.equal(code, 0, `${command}\n${lines.join('\n')}`);
  const [, expected] = /# prints: (.+)$/.exec(command) ?? [];
  if (expected !== undefined) t.ok(lines.includes(expected), `prints ${expected}\n${lines.join('\n')}`);
  return lines;
}

/** An installation, which npm must have nothing to say against. */
async function install(t: Test, shell: Shell, command: string): Promise<void> {
  const lines = await follow(t, shell, command);
  t.notMatch(lines.join('\n'), /warn|deprecated|script/i, 'npm warns of nothing');
}

/** A new vault, served in a terminal of its own. */
async function serveNewVault(t: Test, account: Account, folder: string): Promise<Shell> {
  const shell = await Shell.open(t, account, folder);
  shell.type(`${SERVE}\n`);
  // There is no keychain in this account: README says that a passphrase is asked for then.
  for (const prompt of ['New passphrase', 'Once more']) {
    await shell.see(prompt);
    shell.type(`${PASSPHRASE}\n`);
  }
  await shell.see('Serving the vault');
  return shell;
}

async function stop(t: Test, serving: Shell): Promise<void> {
  serving.type('\x03');
  const { code } = await serving.ended();
  t.equal(code, 0, 'Ctrl-C ends the daemon');
}

/** In a project of its own, which has the package as a dependency. */
async function followProgram(t: Test, shell: Shell, program: string): Promise<void> {
  await follow(t, shell, 'mkdir program && cd program');
  await install(t, shell, `npm install ../maestrovault/${TARBALL}`);
  await follow(t, shell, `cat > program.mjs << 'END'\n${program}\nconsole.log(value);\nEND`);
  await follow(t, shell, 'MAV_TOKEN=$TOKEN node program.mjs # prints: correct horse');
  await follow(t, shell, 'cd ..');
}

/** The package has what it needs and nothing else, and no script that npm would warn of. */
function checkPackage(t: Test, checkout: string): void {
  const list = spawnSync('tar', ['-tzf', join(checkout, TARBALL)], { encoding: 'utf8' });
  const files = list.stdout
    .trim()
    .split('\n')
    .map((file) => file.replace('package/', ''));
  const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const named = [manifest.bin.mav, ...Object.values(manifest.exports['./client'])].map((file) =>
    String(file),
  );
  for (const file of [...named, 'README.md', 'LICENSE', 'dist/src/http/openapi.json'])
    t.ok(files.includes(file.replace('./', '')), file);
  t.strictSame(
    files.filter(
      (file) =>
        !/^(dist\/mav|dist\/src\/(everyday-)?cli\.[a-z0-9-]+\.bin|dist\/.*\.(c?js|d\.c?ts|json)|docs\/[a-z-]+\.md|[A-Z]+(\.md)?|package\.json)$/.test(
          file,
        ),
    ),
    [],
    'and nothing else',
  );
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
    t.equal(manifest.scripts[script], undefined, `no ${script}`);
  const found = spawnSync('grep', ['-rl', 'sourceMappingURL', join(checkout, 'dist')], {
    encoding: 'utf8',
  });
  t.equal(found.stdout, '', 'no source map is promised that is not there');
}

/** Types a block of README: a program, or commands. Those that need the packed package are typed in the checkout. */
async function followBlock(
  t: Test,
  shells: { inCheckout: Shell; atHome: Shell },
  block: string,
): Promise<void> {
  if (block.startsWith('import ')) return followProgram(t, shells.atHome, block);
  for (const command of readCommands(block)) {
    const shell = command.includes(`./${TARBALL}`) ? shells.inCheckout : shells.atHome;
    await (command.startsWith('npm install') ? install : follow)(t, shell, command);
  }
}

t.test('README > followed on a fresh account > every line does what it says', { skip }, async (whole) => {
  const registry = await serveRegistry(whole, root);
  const account = createAccount(whole, root, { npm_config_registry: registry });
  const checkout = copyCheckout(account, root);
  const inCheckout = await Shell.open(whole, account, checkout);
  const atHome = await Shell.open(whole, account, account.home);
  const [first = '', ...others] = readBlocks(README);
  const serving: Shell[] = [];

  await whole.test('the first block > a vault is served', async (t) => {
    t.strictSame(readCommands(first), ['npm ci && npm pack', `npm install --global ./${TARBALL}`, SERVE]);
    // What `npm ci` would install was copied with it.
    await follow(t, inCheckout, 'npm pack');
    await install(t, inCheckout, `npm install --global ./${TARBALL}`);
    serving.push(await serveNewVault(whole, account, checkout));
  });

  await whole.test(
    'the package > what it has > what it needs, and no script that npm would warn of',
    async (t) => checkPackage(t, checkout),
  );

  const left: string[] = [];
  for (const block of others) {
    // What follows would wait in vain for what is not there.
    if (!whole.passing()) return;
    await whole.test(block, async (t) => {
      if (NOT_FOLLOWED.includes(block)) left.push(block);
      else await followBlock(t, { inCheckout, atHome }, block);
    });
  }
  whole.strictSame(left, NOT_FOLLOWED, 'all but these');

  await whole.test(
    'without an installation > npm start serves, and npx mav is the command line',
    async (t) => {
      t.match(README, /`npm start`[^.]*`npx mav`/, 'as it says');
      for (const shell of serving) await stop(t, shell);
      const started = await Shell.open(whole, account, checkout);
      started.type('npm start\n');
      await started.see('assphrase');
      started.type(`${PASSPHRASE}\n`);
      await started.see('Serving the vault');
      await follow(t, inCheckout, 'npx mav get db-password --env prod # prints: correct horse');
      started.type('\x03');
      await started.ended();
    },
  );
});
