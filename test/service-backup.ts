/** `mav service backup`: what it writes, what it refuses, and that it removes only its own. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createHeldVault } from './fixtures/held.ts';
import { createSandbox, mav } from './fixtures/vault.ts';

t.test('service backup --print > both platforms > shows it and changes nothing', async (t) => {
  const sandbox = createSandbox(t);
  const folder = join(sandbox.folder, 'backups');
  mkdirSync(folder);
  const print = (...args: string[]) => mav(sandbox, ['service', 'backup', ...args, '--print']);
  const linux = await print(folder, '--daily', '--platform', 'linux');
  t.match(linux, { code: 0, stderr: '' });
  t.match(
    linux.stdout,
    /\nExecStart=":[^"]+" "[^"]+" "backup" "--keep" "30" "--no-input" "[^"]+\/backups"\n/,
  );
  t.match(linux.stdout, /\nsystemctl --user enable --now maestrovault-backup\.timer\n$/);
  const darwin = await print(folder, '--daily', '--keep', '7', '--platform', 'darwin');
  t.match(darwin.stdout, /<string>--keep<\/string>\s*<string>7<\/string>/);
  const off = await print('--off', '--platform', 'linux');
  t.match(off.stdout, /^systemctl --user disable --now maestrovault-backup\.timer\nrm -f /);
  const written = readdirSync(sandbox.folder, { recursive: true }).filter((path) =>
    /backup\W/.test(String(path)),
  );
  t.strictSame(written, []);
});

t.test('service backup > wrong usage, or files that are not ours > said, and nothing is done', async (t) => {
  const sandbox = await createHeldVault(t);
  const folder = join(sandbox.folder, 'backups');
  mkdirSync(folder);
  for (const [args, said] of [
    [[], /mav service backup FOLDER --daily/],
    [[folder], /mav service backup FOLDER --daily/],
    [[join(folder, 'file'), '--daily'], /is not a folder; make it first/],
    [[sandbox.home, '--daily'], /lies in the vault's folder/],
    [[folder, '--daily', '--keep', '0'], /--keep must be a whole number/],
  ] as const) {
    const { code, stderr } = await mav(sandbox, ['service', 'backup', ...args]);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, said);
  }
  t.match(await mav(sandbox, ['service', 'backup', '--off']), {
    code: 0,
    stderr: /No backup is made by itself/,
  });
  const units = join(sandbox.env.HOME as string, '.config', 'systemd', 'user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'maestrovault-backup.timer'), 'mine');
  const { code, stderr } = await mav(sandbox, ['service', 'backup', folder, '--daily']);
  t.match({ code, stderr }, { code: 1, stderr: /was not written by mav; move it away first/ });
  t.strictSame(readdirSync(units), ['maestrovault-backup.timer']);
});
