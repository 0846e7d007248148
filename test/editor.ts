/** `mav edit` in an editor: a private file, of which nothing is left, whatever ends it. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { createVault, get } from './fixtures/edit.ts';
import { skipWithout } from './fixtures/programs.ts';
import { type Ended, KEYS, mavOnTerminal, openTerminal, type Terminal } from './fixtures/terminal.ts';
import { BIN, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);

const skip = skipWithout('python3');

const MAV = `${process.execPath} ${BIN}`;

/** Opens `mav edit` with an editor that is this shell script, the file its $1. */
function edit(
  t: Test,
  sandbox: Sandbox,
  script: string,
  args: readonly string[] = ['x'],
  { prefix = '', env = {} as NodeJS.ProcessEnv } = {},
): Terminal {
  const editor = join(sandbox.folder, "it's an editor");
  writeFileSync(editor, `#!/bin/sh\n[ "$1" = --wait ] && shift\n${script}\n`);
  chmodSync(editor, 0o755);
  return mavOnTerminal(t, sandbox, ['edit', ...args], {
    ...env,
    EDITOR: `${prefix}"${editor}" --wait`,
  });
}

/** Nothing of the editor's file may be left. */
function checkWiped(t: Test, sandbox: Sandbox, what: string): void {
  const left = readdirSync(join(sandbox.folder, 'runtime')).filter((name) => name.startsWith('mav-edit-'));
  t.same(left, [], `${what}: nothing is left`);
}

t.test('edit > in an editor > a private file, of which nothing is left', { skip }, async (t) => {
  const sandbox = await createVault(t);
  const log = join(sandbox.folder, 'log');
  const end = await edit(
    t,
    sandbox,
    `stat -c %a "$1" "$(dirname "$1")" > ${log}
cat "$1" >> ${log}; echo "$1" "$TMPDIR" >> ${log}
ln "$1" "${sandbox.folder}/linked"
echo new > "$1"; cp "$1" "$1~"; mkdir "$TMPDIR/more"; cp "$1" "$TMPDIR/more/.swp"
ln "$TMPDIR/more/.swp" "${sandbox.folder}/swap"`,
  ).ended();
  t.same([end.code, end.shown], [0, 'Changed x, version 2; mav rollback x brings 1 back.\n']);
  t.equal(await get(sandbox), 'new', 'without the newline that it did not have');
  const [mode, folderMode, text = ''] = readFileSync(log, 'utf8').split('\n');
  t.same([mode, folderMode], ['600', '700']);
  t.match(text, `old${sandbox.folder}/runtime/mav-edit-`);
  checkWiped(t, sandbox, 'done');
  for (const copy of ['linked', 'swap'])
    t.ok(
      readFileSync(join(sandbox.folder, copy)).every((byte) => byte === 0),
      `${copy} was overwritten`,
    );
});

t.test(
  'edit > in an editor, by a token > stored, and the editor is not told the token',
  { skip },
  async (t) => {
    const daemon = await startDaemon(t);
    await mav(daemon, ['set', 'x', '--value', 'old']);
    const { token: MAV_TOKEN } = await daemon.createToken(['read', 'write']);
    const script = 'echo "new$MAV_TOKEN" > "$1"';
    t.equal((await edit(t, daemon, script, ['x'], { env: { MAV_TOKEN } }).ended()).code, 0);
    t.equal(await get(daemon), 'new');
  },
);

t.test('edit > newlines at the end > as many as meant', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: true });
  const cases: readonly [before: string, written: string, after: string][] = [
    ['a', 'b\\n', 'b'],
    ['a', 'b\\r\\n', 'b'],
    ['a', 'b\\n\\n', 'b\n'],
    ['a\n', 'b\\n', 'b\n'],
    ['a\n', 'b', 'b'],
    ['a\nb', 'a\\nc\\n', 'a\nc'],
  ];
  for (const [before, written, after] of cases) {
    await mav(sandbox, ['set', 'x', '--field', 'f'], { input: before });
    const end = await edit(t, sandbox, `printf '${written}' > "$1"`, ['x', '--field', 'f']).ended();
    t.equal(end.code, 0);
    t.equal(await get(sandbox, '--field', 'f'), after, JSON.stringify([before, written]));
  }
});

t.test('edit > nothing to store > said, and nothing stored', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: true });
  const { updated_at: before } = JSON.parse(await get(sandbox, '-o', 'json'));
  const cases: readonly [script: string, code: number, says: RegExp][] = [
    ['true', 0, /Nothing was changed, and nothing was stored/],
    ['echo old > "$1"', 0, /Nothing was changed/],
    [': > "$1"', 1, /the text is empty; nothing was stored/],
    ['echo > "$1"', 1, /the text is empty/],
    ['rm "$1"', 1, /removed the file; nothing was stored/],
    ['echo new > "$1"; exit 3', 1, /the editor failed \(exit code 3\); nothing was stored/],
    ['echo new > "$1"; kill -SEGV $$', 1, /the editor failed .*; nothing was stored/],
    ['echo new > "$1"; chmod 000 "$1"; exit 1', 1, /the editor failed/],
  ];
  for (const [script, code, says] of cases) {
    const end = await edit(t, sandbox, script).ended();
    t.equal(end.code, code, script);
    t.match(end.shown, says, script);
    checkWiped(t, sandbox, script);
  }
  const none = await mavOnTerminal(t, sandbox, ['edit', 'x'], { VISUAL: '/nonexistent/editor' }).ended();
  t.equal(none.code, 1);
  t.match(none.shown, 'the editor failed (exit code 127)');
  checkWiped(t, sandbox, 'no editor');
  const { value, updated_at: after } = JSON.parse(await get(sandbox, '-o', 'json'));
  t.same([value, after], ['old', before]);
});

t.test('edit > stopped while the editor runs > wiped, nothing stored', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: true });
  const wait = 'echo new > "$1"; echo ready; while [ -e "$1" ]; do sleep 0.1; done';
  const cases: readonly [
    what: string,
    script: string,
    stop: (terminal: Terminal) => unknown,
    code: number,
  ][] = [
    ['Ctrl-C', wait, (terminal) => terminal.type(KEYS.ctrlC), 130],
    ['SIGTERM', wait, (terminal) => terminal.signal('SIGTERM'), 143],
    ['SIGHUP', wait, (terminal) => terminal.signal('SIGHUP'), 129],
    [
      'SIGTERM, ignored by the editor',
      `trap '' TERM; ${wait}`,
      (terminal) => terminal.signal('SIGTERM'),
      143,
    ],
  ];
  for (const [what, script, stop, code] of cases) {
    const terminal = edit(t, sandbox, script);
    await terminal.see('ready');
    await stop(terminal);
    const end = await terminal.ended();
    t.equal(end.code, code, what);
    t.match(end.shown, 'nothing was stored', what);
    t.ok(end.echoes && end.readsLines, what);
    checkWiped(t, sandbox, what);
  }
});

t.test('edit > Ctrl-C that the editor takes for its own > it goes on', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: true });
  const script = `trap 'echo later > "$1"; exit 0' INT; echo ready; while [ -e "$1" ]; do sleep 0.1; done`;
  // With the shell out of the way, and with the shell that a longer command line needs.
  for (const prefix of ['', 'LC_ALL=C ', 'true && ']) {
    await mav(sandbox, ['set', 'x', '--value', 'old']);
    const terminal = edit(t, sandbox, script, ['x'], { prefix });
    await terminal.see('ready');
    terminal.type(KEYS.ctrlC);
    t.equal((await terminal.ended()).code, 0, prefix);
    t.equal(await get(sandbox), 'later', prefix);
  }
});

t.test(
  'edit > the secret was changed meanwhile > asked, and nothing is lost unasked',
  { skip },
  async (t) => {
    const sandbox = await createVault(t);
    const script = `${MAV} set x --value theirs && echo mine > "$1"`;
    const answer = async (typed: string, args?: string[]): Promise<Ended> => {
      const terminal = edit(t, sandbox, script, args);
      await terminal.see(
        'Somebody else changed or deleted x meanwhile. Replace theirs with your text? [y/N] ',
      );
      checkWiped(t, sandbox, 'while it is asked');
      terminal.type(typed);
      return terminal.ended();
    };
    t.equal((await answer(KEYS.enter)).code, 1);
    t.equal((await answer(KEYS.ctrlC)).code, 130);
    t.equal(await get(sandbox), 'theirs');
    t.equal((await answer(`y${KEYS.enter}`)).code, 0);
    t.equal(await get(sandbox), 'mine');
  },
);

t.test('edit > the text cannot be stored just now > may be tried again', { skip }, async (t) => {
  const daemon = await startDaemon(t);
  await mav(daemon, ['set', 'x', '--value', 'old']);
  const terminal = edit(t, daemon, `${MAV} seal && echo mine > "$1"`);
  await terminal.see('Unseal it now? [Y/n]');
  terminal.type(`n${KEYS.enter}`);
  await terminal.see('Your text is not stored. Try again? [y/N] ');
  t.equal((await mav(daemon, ['unseal'])).code, 0);
  terminal.type(`y${KEYS.enter}`);
  const end = await terminal.ended();
  t.equal(end.code, 0);
  t.notMatch(end.shown, 'mine');
  t.equal(await get(daemon), 'mine');
});

t.test('edit > bytes that are no text > refused before an editor sees them', { skip }, async (t) => {
  const sandbox = await createVault(t, { served: true });
  for (const bytes of [[0xff], [0x61, 0x00]]) {
    await mav(sandbox, ['set', 'x'], { input: new Uint8Array(bytes) });
    const end = await edit(t, sandbox, `touch ${sandbox.folder}/seen`).ended();
    t.equal(end.code, 1);
    t.match(end.shown, 'x is no text; change it with --from-file or --stdin');
  }
  t.notOk(existsSync(join(sandbox.folder, 'seen')));
});

t.test('edit > in vi > as it is used', { skip: skipWithout('python3', 'vi') }, async (t) => {
  const sandbox = await createVault(t);
  const terminal = openTerminal(t, sandbox, [process.execPath, BIN, 'edit', 'x']);
  await terminal.see('old');
  terminal.type('ccnew value\x1b:wq\r');
  const end = await terminal.ended();
  t.equal(end.code, 0);
  t.ok(end.echoes && end.readsLines);
  t.equal(await get(sandbox), 'new value');
  checkWiped(t, sandbox, 'vi');
});
