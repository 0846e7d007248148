/** The recovery code that `mav init` shows: as a person on a terminal meets it, whatever that does. */
import { existsSync, readdirSync } from 'node:fs';
import t from 'tap';
import { layOutCode } from '../src/cli/vault/recovery-screen.ts';
import { skipWithout } from './fixtures/programs.ts';
import { mavOnTerminal } from './fixtures/terminal.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

const skip = skipWithout('python3');
const ARGS = ['init', '--key-store', 'file'];
const SHOWN = 'Press Enter when you have written it down.';
const FIRST_SCREEN = '\x1b[?1049l';

t.test(
  'init > skip is typed instead of Enter > a vault without a code, which it says',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t);
    const terminal = mavOnTerminal(t, sandbox, ARGS);
    await terminal.see(SHOWN);
    terminal.type('skip\r');
    t.match(await terminal.ended(), {
      code: 0,
      shown: /It has no recovery code; make one with: mav key add recovery/,
    });
    t.match((await mav(sandbox, ['key', 'list', '-o', 'plain'])).stdout, /^\S+\tfile\b[^\n]*\n$/);
  },
);

t.test(
  'init > wrong words three times > says which word, then how to go on, and makes nothing',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t);
    const terminal = mavOnTerminal(t, sandbox, ARGS);
    for (let attempt = 0; attempt < 3; attempt++) {
      const page = await terminal.see(SHOWN);
      t.equal(/What you typed is not word \d+\./.test(page), attempt > 0);
      terminal.type('\r');
      await terminal.see(' of the recovery code: ');
      terminal.type('no word\r');
    }
    const { code, shown } = await terminal.ended();
    t.match({ code, shown }, { code: 1, shown: /nothing was done; without a code: mav init --no-recovery/ });
    t.notOk(existsSync(sandbox.databasePath));
  },
);

t.test(
  'init > Ctrl-C, or a signal, while the code is shown > the first screen again, and nothing is made',
  { skip },
  async (t) => {
    for (const stop of ['\x03', 'SIGTERM'] as const) {
      const sandbox = createSandbox(t);
      const terminal = mavOnTerminal(t, sandbox, ARGS);
      await terminal.see(SHOWN);
      if (stop === 'SIGTERM') await terminal.signal(stop);
      else terminal.type(stop);
      const { code, raw } = await terminal.ended();
      t.equal(code, stop === 'SIGTERM' ? 143 : 130);
      t.match(raw.slice(raw.lastIndexOf(FIRST_SCREEN)), /stopped; nothing was done/);
      t.notOk(existsSync(sandbox.databasePath));
      t.strictSame(readdirSync(sandbox.env.HOME ?? ''), [], 'no key file');
    }
  },
);

t.test(
  'init > a terminal that has no second screen > no control sequences, and it says what to do',
  { skip },
  async (t) => {
    const sandbox = createSandbox(t);
    const terminal = mavOnTerminal(t, sandbox, ARGS, { TERM: 'dumb' });
    const page = await terminal.see(SHOWN);
    t.match(page, /This terminal cannot hide the words again: close it afterwards\./);
    terminal.type('skip\r');
    const { code, raw } = await terminal.ended();
    t.equal(code, 0);
    t.notMatch(raw, '1049');
  },
);

t.test('layOutCode > screens of any size > each word whole with its number, within the width', (t) => {
  const words = Array.from({ length: 24 }, (_, at) => Buffer.from(`word${String.fromCharCode(97 + at)}`));
  for (const columns of [20, 30, 40, 80, 200])
    for (const rows of [10, 14, 24, 60]) {
      const text = Buffer.from(layOutCode(words, ['A note.'], { columns, rows })).toString();
      const found = [...text.matchAll(/(\d+)\. ?(word[a-z])\b/g)].map(([, at, word]) => [Number(at), word]);
      t.strictSame(
        found.sort(([a], [b]) => Number(a) - Number(b)),
        words.map((word, at) => [at + 1, word.toString()]),
        `${columns} x ${rows}`,
      );
      t.ok(text.split('\r\n').every((line) => line.length <= columns));
    }
  t.end();
});
