/** Export and import of much: progress on a terminal, all or none. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { mavOnTerminal, openTerminal } from './fixtures/terminal.ts';
import { exportOf, exportText, importText, skipTerminal } from './fixtures/transfer.ts';
import { createSandbox, createVault, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);

t.test(
  'progress > something long on a terminal > one line that is taken away',
  { skip: skipTerminal },
  async (t) => {
    const sandbox = createSandbox(t);
    const source = new URL('../src/cli/terminal/progress.ts', import.meta.url).href;
    const script = (isQuiet: boolean) => `
    const { Progress } = await import(${JSON.stringify(source)});
    const context = { isErrorTerminal: true, isQuiet: ${isQuiet}, env: process.env };
    const progress = new Progress({ context });
    const timer = setInterval(() => progress.show('so far'), 5);
    setTimeout(() => {
      clearInterval(timer);
      progress.end();
      console.log('done');
    }, 1000);`;
    const show = async (isQuiet: boolean) => {
      const command = [process.execPath, '--input-type=module', '-e', script(isQuiet)];
      return (await openTerminal(t, sandbox, command).ended()).shown;
    };
    t.match(await show(false), /^(\rso far)+\rdone\n$/);
    t.equal(await show(true), 'done\n');
  },
);

t.test('import, export > thousands of secrets > all of them, or none', async (t) => {
  const sandbox = await createVault(t);
  const count = 20_000;
  const entry = (index: number) =>
    `{"name":"n${index}","environment":"e${index % 5}","value":"value ${index}","metadata":{"n":1.0}}`;
  const entries = Array.from({ length: count }, (_, index) => entry(index));
  const broken = await importText(sandbox, exportOf(...entries, '{"name":"last","value":""}'));
  t.equal(broken.code, 2);
  t.match(broken.stderr, `line ${count + 1}: "value" must be a non-empty string; nothing was imported`);
  t.strictSame(JSON.parse((await mav(sandbox, ['list'])).stdout), []);
  const made = await importText(sandbox, exportOf(...entries), '-o', 'json');
  t.equal(JSON.parse(made.stdout).added.length, count);
  const exported = await exportText(sandbox);
  t.equal(exported.split('\n').filter((line) => line.includes('"metadata":{"n":1.0}')).length, count);
});

t.test(
  'import > it takes long > on a terminal the seconds are counted',
  { skip: skipTerminal },
  async (t) => {
    const daemon = await startDaemon(t);
    const path = join(daemon.folder, 'in.json');
    const secrets = ['a', 'b'].map((name) => ({ name, environment: '', value: 'v' }));
    writeFileSync(path, JSON.stringify({ format: 'maestrovault-export', version: 1, secrets }));
    daemon.child.kill('SIGSTOP');
    t.teardown(() => daemon.child.kill('SIGCONT'));
    const terminal = mavOnTerminal(t, daemon, ['import', path]);
    await terminal.see('Storing secrets, 1 s');
    daemon.child.kill('SIGCONT');
    const { code, shown } = await terminal.ended();
    t.equal(code, 0);
    t.match(shown, 'Added: 2');
  },
);
