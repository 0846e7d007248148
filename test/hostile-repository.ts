/** `mav scan` in repositories of which the configuration names programs: none of them is started, nothing is fetched. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { createSandbox, type Finished, fillVault, mav, type Sandbox } from './fixtures/vault.ts';

t.setTimeout(550_000);
const skip = skipWithout('git');

const VALUE = 'hunter2-of-the-database';
const FILES = ['a.txt', 'b.txt', 'c.txt'];

interface Repository {
  readonly folder: string;
  /** Only there if a program of the repository's choice was started. */
  readonly marker: string;
  readonly git: (args: readonly string[], input?: string) => string;
  readonly configure: (settings: Readonly<Record<string, string>>) => void;
  readonly scan: (...args: string[]) => Promise<Finished>;
}

/** In git's configuration, a command that leaves the marker. */
function leaves(marker: string): string {
  return `touch '${marker}'; exit 1; :`;
}

async function createRepository(t: Test): Promise<Repository & { readonly sandbox: Sandbox }> {
  const sandbox = createSandbox(t);
  await fillVault(sandbox);
  await mav(sandbox, ['set', 'db'], { input: VALUE });
  const repository = openRepository(sandbox, 'work');
  repository.git(['init', '-q']);
  for (const name of FILES) writeFileSync(join(repository.folder, name), `${name}\n${VALUE}\n`);
  repository.git(['add', '.']);
  return { ...repository, sandbox };
}

function openRepository(sandbox: Sandbox, name: string): Repository {
  const folder = join(sandbox.folder, name);
  mkdirSync(folder, { recursive: true });
  const git: Repository['git'] = (args, input = '') =>
    spawnSync('git', ['-c', 'user.name=n', '-c', 'user.email=e@example.org', ...args], {
      cwd: folder,
      input,
      encoding: 'utf8',
      env: { ...sandbox.env, GIT_CONFIG_NOSYSTEM: '1' },
    }).stdout;
  return {
    folder,
    marker: join(sandbox.folder, 'marker'),
    git,
    configure: (settings) => {
      for (const [key, value] of Object.entries(settings)) git(['config', key, value]);
    },
    scan: (...args) => mav(sandbox, ['scan', ...args], { cwd: folder }),
  };
}

/** Takes what is staged for the file out of the repository, as in a partial clone. */
function removeBlob({ folder, git }: Repository, name: string): string {
  const id = git(['rev-parse', `:${name}`]).trim();
  rmSync(join(folder, '.git/objects', id.slice(0, 2), id.slice(2)));
  return id;
}

/** Every way that git has to fetch with a program that the configuration names. */
function listTransports(marker: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const promisor = { 'remote.x.promisor': 'true' };
  const command = leaves(marker);
  return {
    'upload-pack of a local repository': { ...promisor, 'remote.x.url': '.', 'remote.x.uploadpack': command },
    'only the extension names the remote': {
      'core.repositoryFormatVersion': '1',
      'extensions.partialClone': 'x',
      'remote.x.url': '.',
      'remote.x.uploadpack': command,
    },
    'ssh of its choice': { ...promisor, 'remote.x.url': 'ssh://localhost/x', 'core.sshCommand': command },
    'a proxy for git': {
      ...promisor,
      'remote.x.url': 'git://localhost/x',
      'core.gitProxy': marker.replace(/marker$/, 'proxy'),
    },
    'an external helper, allowed by the repository': {
      ...promisor,
      'protocol.ext.allow': 'always',
      'protocol.allow': 'always',
      'remote.x.url': `ext::touch ${marker}`,
    },
    'an external helper, named apart': {
      ...promisor,
      'protocol.ext.allow': 'always',
      'remote.x.vcs': 'ext',
      'remote.x.url': `touch ${marker}`,
    },
    'an address that is rewritten': {
      ...promisor,
      'protocol.ext.allow': 'always',
      'remote.x.url': 'https://localhost/x',
      [`url.ext::touch ${marker} .insteadOf`]: 'https://localhost/',
    },
  };
}

t.test(
  'scan --staged > a repository says that objects are to be fetched > nothing is run',
  { skip },
  async (t) => {
    const repository = await createRepository(t);
    const { folder, marker, git, scan, sandbox } = repository;
    writeFileSync(join(sandbox.folder, 'proxy'), `#!/bin/sh\ntouch '${marker}'\n`, { mode: 0o755 });
    const missing = removeBlob(repository, 'b.txt');
    for (const [kind, settings] of Object.entries(listTransports(marker))) {
      repository.configure(settings);
      git(['cat-file', '--batch'], `${missing}\n`);
      t.ok(existsSync(marker), `${kind}: git alone runs it`);
      rmSync(marker, { force: true });
      const staged = await scan('--staged');
      await scan('.');
      t.notOk(existsSync(marker), `${kind}: the scan does not`);
      t.equal(staged.code, 1, kind);
      t.equal(staged.stdout, 'a.txt:2: secret db\nc.txt:2: secret db\n', 'what is there is looked through');
      t.match(staged.stderr, 'b.txt was not looked through');
      t.match(staged.stderr, "'git diff --cached'");
      t.match(staged.stderr, 'Looked through 2 files');
      for (const key of Object.keys(settings)) git(['config', '--unset-all', key]);
    }
    git(['config', 'core.repositoryFormatVersion', '0']);
    const gone = await scan('--staged');
    t.equal(gone.code, 1, 'without any remote');
    t.match(gone.stderr, 'b.txt was not looked through');
    t.ok(existsSync(join(folder, 'b.txt')));
  },
);

t.test('scan --staged > the last commit is not there > said, and never a clean exit', { skip }, async (t) => {
  const { marker, folder, git, configure, scan } = await createRepository(t);
  git(['commit', '-q', '-m', 'x']);
  const tree = git(['rev-parse', 'HEAD^{tree}']).trim();
  rmSync(join(folder, '.git/objects', tree.slice(0, 2), tree.slice(2)));
  configure({ 'remote.x.promisor': 'true', 'remote.x.url': '.', 'remote.x.uploadpack': leaves(marker) });
  const { code, stderr } = await scan('--staged');
  t.equal(code, 1);
  t.match(stderr, 'git cannot compare what is staged with the last commit');
  t.notOk(existsSync(marker));
});

/** Whatever else of git's configuration is a command. */
function listCommands(command: string, hooks: string): Readonly<Record<string, string>> {
  return {
    'core.fsmonitor': command,
    'core.hooksPath': hooks,
    'core.pager': command,
    'pager.diff': command,
    'pager.ls-files': command,
    'pager.cat-file': command,
    'core.editor': command,
    'core.askPass': command,
    'core.alternateRefsCommand': command,
    'credential.helper': `!${command}`,
    'diff.external': command,
    'diff.x.command': command,
    'diff.x.textconv': command,
    'filter.x.clean': command,
    'filter.x.smudge': command,
    'filter.x.process': command,
    'filter.x.required': 'true',
    'merge.x.driver': command,
    'gpg.program': command,
    'alias.diff': `!${command}`,
    'alias.cat-file': `!${command}`,
    'alias.ls-files': `!${command}`,
    'alias.rev-parse': `!${command}`,
    'alias.check-ignore': `!${command}`,
    'interactive.diffFilter': command,
    'trailer.x.command': command,
    'uploadpack.packObjectsHook': command,
  };
}

/** Each name that git has for one. */
const HOOKS = [
  'post-index-change',
  'pre-auto-gc',
  'reference-transaction',
  'post-checkout',
  'fsmonitor-watchman',
];

t.test('scan > a repository names a program for everything > none is started', { skip }, async (t) => {
  const { marker, folder, git, configure, scan } = await createRepository(t);
  const script = `#!/bin/sh\ntouch '${marker}'\n`;
  for (const hooks of [join(folder, '.git/hooks'), join(folder, 'hooks')]) {
    mkdirSync(hooks, { recursive: true });
    for (const name of HOOKS) writeFileSync(join(hooks, name), script, { mode: 0o755 });
  }
  // Named by a file that the configuration includes, and by the one of this work tree.
  const included = join(folder, 'included');
  const file = (path: string) => (key: string, value: string) => git(['config', '--file', path, key, value]);
  const commands = Object.entries(listCommands(leaves(marker), join(folder, 'hooks')));
  for (const [key, value] of commands) file(included)(key, value);
  for (const [key, value] of commands) file(join(folder, '.git/config.worktree'))(key, value);
  writeFileSync(join(folder, '.gitattributes'), '* diff=x filter=x merge=x\n');
  configure({
    'core.repositoryFormatVersion': '1',
    'extensions.worktreeConfig': 'true',
    'include.path': included,
  });
  git(['status']);
  t.ok(existsSync(marker), 'git alone runs some of it');
  rmSync(marker);
  // Times that differ from the index make git look at the contents again.
  appendFileSync(join(folder, 'a.txt'), 'more\n');
  const staged = await scan('--staged');
  t.equal(staged.stdout, FILES.map((name) => `${name}:2: secret db\n`).join(''));
  const found = await scan('.');
  t.match(found.stdout, /^a.txt:2: secret db\nb.txt/m);
  t.notOk(existsSync(marker));
});

t.test(
  'scan > a bare repository among the files > it is files, and its programs do not run',
  { skip },
  async (t) => {
    const { marker, folder, sandbox, scan } = await createRepository(t);
    const bare = openRepository(sandbox, 'work/bare');
    bare.git(['init', '-q', '--bare', '.']);
    bare.configure({ 'core.bare': 'false', 'core.worktree': folder, 'core.fsmonitor': leaves(marker) });
    writeFileSync(join(bare.folder, 'description'), VALUE);
    bare.git(['status']);
    t.ok(existsSync(marker), 'git alone runs it');
    rmSync(marker);
    t.match((await bare.scan('.')).stdout, 'description:1: secret db');
    t.match((await scan('.')).stdout, 'bare/description:1: secret db');
    t.equal((await bare.scan('--staged')).code, 1);
    t.notOk(existsSync(marker));
  },
);

t.test(
  'scan --staged > another object is put in the place of what is staged > not looked at',
  { skip },
  async (t) => {
    const { git, scan } = await createRepository(t);
    const empty = git(['hash-object', '-w', '--stdin']).trim();
    git(['replace', git(['rev-parse', ':a.txt']).trim(), empty]);
    t.match((await scan('--staged')).stdout, 'a.txt:2: secret db');
  },
);
