/** What a person meets at the terminal: prompts, Ctrl-C, the end of input, and a terminal that is left as it was. */
import t from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { KEYS, mavOnTerminal, openTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('python3');

t.test('terminal > the driver itself > types, sees, and tells the end', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  const terminal = openTerminal(t, sandbox, ['sh', '-c', 'read x; echo "got $x"; stty -echo; exit 7']);
  terminal.type('a word\r');
  await terminal.see('got a word');
  const end = await terminal.ended();
  t.same([end.code, end.echoes, end.readsLines], [7, false, true]);
  const other = openTerminal(t, sandbox, ['sleep', '60']);
  await other.signal('SIGTERM');
  t.equal((await other.ended()).code, null);
  await t.rejects(openTerminal(t, sandbox, ['echo', 'x']).see('y'), { message: /showed:\nx/ });
});

t.test('set > a value is typed twice > stored as typed, and never shown', { skip }, async (t) => {
  const sandbox = createSandbox(t);
  await mav(sandbox, ['init', '--key-store', 'file']);
  const terminal = mavOnTerminal(t, sandbox, ['set', 'x']);
  await terminal.see('Value of x: ');
  terminal.type(`  hunter2 ${KEYS.enter}`);
  await terminal.see('Once more: ');
  terminal.type(`  hunter2 ${KEYS.enter}`);
  const end = await terminal.ended();
  t.same([end.code, end.echoes, end.readsLines], [0, true, true]);
  t.notMatch(end.shown, 'hunter2');
  t.equal((await mav(sandbox, ['get', 'x'])).stdout, '  hunter2 ');
});
