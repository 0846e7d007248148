/**
 * docs/years.md, followed line by line on terminals, with a real keychain: the laptop is gone, the keychain forgot, an old disk was
 * restored, somebody had the file.
 */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBlocks, readCommands } from './fixtures/markdown.ts';
import { SECRET_SERVICE_PROGRAMS, skipWithout } from './fixtures/programs.ts';
import { openKeks } from './fixtures/root-key-reader.ts';
import { startSecretService } from './fixtures/secret-service.ts';
import { keychainAccount, StoredFile } from './fixtures/stored.ts';
import { openTerminal } from './fixtures/terminal.ts';
import { createSandbox, MAV, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const PAGE = readFileSync(new URL('../docs/years.md', import.meta.url), 'utf8');
const DISK = '/media/disk';
const CODE = 'Recovery code (24 words, not shown): ';

/** A prompt, and what is typed there. */
type Answer = readonly [prompt: string, typed: string];

/** The commands under a heading of the page, in their order. */
function readStory(heading: string): string[] {
  const at = PAGE.indexOf(`\n## ${heading}\n`);
  if (at < 0) throw new Error(`there is no ${heading}`);
  const end = PAGE.indexOf('\n## ', at + 1);
  const blocks = readBlocks(PAGE.slice(at, end < 0 ? undefined : end));
  return blocks.flatMap(readCommands);
}

/** Types a command into a shell, and what it is asked for. Resolves with what it showed. */
async function run(
  t: Test,
  sandbox: Sandbox,
  disk: string,
  command: string,
  answers: readonly Answer[] = [],
): Promise<string> {
  const typed = command.replaceAll(DISK, disk);
  const path = `${join(sandbox.folder, 'bin')}:${process.env.PATH}`;
  const terminal = openTerminal(t, sandbox, ['/bin/sh', '-c', typed], { PATH: path });
  for (const [prompt, text] of answers) {
    await terminal.see(prompt);
    terminal.type(`${text}\r`);
  }
  const { code, shown } = await terminal.ended();
  t.equal(code, 0, `${command}\n${shown}`);
  return shown;
}

function createMachine(t: Test, env: NodeJS.ProcessEnv): Sandbox {
  const sandbox = createSandbox(t, { ...env, MAV_KEYCHAIN_TIMEOUT_MS: '20000' });
  mkdirSync(join(sandbox.folder, 'bin'));
  symlinkSync(MAV, join(sandbox.folder, 'bin/mav'));
  return sandbox;
}

/** Makes a recovery code as its owner does, who writes it down and is asked for three words. Resolves with the code. */
async function writeDown(t: Test, sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const terminal = openTerminal(t, sandbox, [MAV, ...args]);
  const page = await terminal.see('Press Enter when you have written it down.');
  const words = new Map([...page.matchAll(/(\d+)\. ([a-z]+)/g)].map(([, at, word]) => [Number(at), word]));
  terminal.type('\r');
  for (let asked = 0; asked < 3; asked++) {
    await terminal.see('Word ');
    terminal.type(`${words.get(Number(await terminal.see(' of the recovery code: ')))}\r`);
  }
  t.equal((await terminal.ended()).code, 0);
  return Array.from({ length: words.size }, (_, at) => words.get(at + 1)).join(' ');
}

const skip = skipWithout(...SECRET_SERVICE_PROGRAMS, 'python3');

t.test('docs/years.md > each of its days > every line does what it says', { skip }, async (t) => {
  const service = await startSecretService(t);
  const old = createMachine(t, service.env);
  const disk = join(old.folder, 'disk');
  mkdirSync(disk);
  t.match(await mav(old, ['init', '--key-store', 'keychain']), { code: 0 });
  for (const value of ['one', 'two'])
    await mav(old, ['set', 'db-password', '--env', 'prod'], { input: value });
  const [addCode = '', ...prepare] = readStory('Before');
  t.match(addCode, /^mav key add recovery/);
  const code = await writeDown(t, old, ['key', 'add', 'recovery']);
  for (const command of prepare) await run(t, old, disk, command);
  const machine = createMachine(t, service.env);

  await t.test('the laptop is gone', async (t) => {
    await service.startEmpty();
    const [restore = '', recover = '', ...others] = readStory('The laptop is gone');
    await run(t, machine, disk, restore, [[CODE, code]]);
    await run(t, machine, disk, recover, [[CODE, code]]);
    for (const command of others) await run(t, machine, disk, command);
    t.match(await mav(machine, ['get', 'db-password', '--env', 'prod']), { code: 0, stdout: 'two' });
  });

  await t.test('the keychain forgot', async (t) => {
    for (const account of service.list()) await service.remove(account);
    t.match(await mav(machine, ['list']), { code: 5, stderr: /mav recover/ });
    const [recover = '', ...others] = readStory('The keychain forgot');
    await run(t, machine, disk, recover, [[CODE, code]]);
    for (const command of others) t.match(await run(t, machine, disk, command), 'two');
  });

  await t.test('an old disk was restored', async (t) => {
    const copy = join(disk, 'old.db');
    copyFileSync(machine.databasePath, copy);
    await mav(machine, ['set', 'db-password', '--env', 'prod'], { input: 'three' });
    copyFileSync(copy, machine.databasePath);
    t.match(await mav(machine, ['list']), { code: 5, stderr: /is a copy from .*mav accept-restore/ });
    const [accept = '', ...others] = readStory('I restored an old disk');
    await run(t, machine, disk, accept, [['accept', 'accept']]);
    for (const command of others) await run(t, machine, disk, command);
  });

  await t.test('somebody had the file', async (t) => {
    const made = await mav(machine, ['token', 'create', '--name', 'ci', '--scope', 'read']);
    t.equal(made.code, 0);
    const before = keychainAccount(machine.databasePath);
    const theirs = (await service.read(before)) as Buffer;
    for (const command of readStory('Somebody had the file'))
      await run(t, machine, disk, command, command.includes('--root') ? [[CODE, code]] : []);
    t.notOk(service.list().includes(before), 'the entry of before is gone');
    const file = new StoredFile(machine.databasePath);
    t.teardown(() => file.close());
    t.throws(() => openKeks(file, theirs), 'and their key opens nothing');
    await run(t, machine, disk, 'mav recover', [[CODE, code]]);
    t.match(await mav(machine, ['get', 'db-password', '--env', 'prod']), { code: 0 });
  });
});
