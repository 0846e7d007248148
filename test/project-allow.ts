/** A project that names a protected environment: it is used once the user has allowed it as it is. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { skipWithout } from './fixtures/programs.ts';
import { createProject, tomlOf } from './fixtures/project.ts';
import { KEYS, mavOnTerminal } from './fixtures/terminal.ts';

t.setTimeout(300_000);

const NAMES_PROD = tomlOf('DB = "mav://prod/db"');

t.test(
  'exec > a protected environment > refused until it is allowed, and again when a file changes',
  async (t) => {
    const project = await createProject(t, { 'mav://prod/db': 'v' });
    writeFileSync(join(project.home, 'config.json'), '{"protected": ["prod"]}', { mode: 0o600 });
    project.write('mav.toml', `extends = "base.toml"\n${NAMES_PROD}`);
    project.write('base.toml', tomlOf());
    const show = () => project.run(['exec', '-q', '--', 'sh', '-c', 'echo "$DB"']);
    const path = join(project.app, 'mav.toml');
    const refused = async (why: string) => {
      const { code, stdout, stderr } = await show();
      t.same([code, stdout], [4, '']);
      t.equal(
        stderr,
        `mav: ${path} names the environment "prod", which is protected, and ${why}; read it, then: mav allow\n`,
      );
    };
    await refused('you have not allowed it');
    t.match(await project.run(['allow']), { code: 2, stderr: /give --force/ });
    await refused('you have not allowed it');
    const allowed = await project.run(['allow', '--force']);
    t.equal(allowed.code, 0);
    t.match(allowed.stderr, /^ {2}DB: mav:\/\/prod\/db$/m);
    t.match(await show(), { code: 0, stdout: 'v\n' });
    t.match(await project.run(['allow']), { code: 0, stderr: /is allowed already/ });
    project.write('base.toml', `${tomlOf()}# a comment\n`);
    await refused('it was changed since you allowed it');
    t.equal((await project.run(['allow', '--force'])).code, 0);
    t.match(await show(), { code: 0, stdout: 'v\n' });
    t.match(await project.run(['allow', '--remove']), { code: 0, stderr: /is not allowed any more/ });
    await refused('you have not allowed it');
    const list = join(project.env.HOME ?? '', '.config/maestrovault/allowed-projects.json');
    t.equal(statSync(list).mode & 0o777, 0o600);
    t.same(JSON.parse(readFileSync(list, 'utf8')), { projects: [] });
  },
);

t.test(
  'exec > an environment is chosen that is protected > refused too, though no reference names it',
  async (t) => {
    const project = await createProject(t, { 'mav://prod/db': 'v', 'mav://dev/db': 'd' });
    writeFileSync(join(project.home, 'config.json'), '{"protected": ["prod"]}', { mode: 0o600 });
    project.write('mav.toml', `environment = "prod"\n${tomlOf('DB = "db"')}`);
    t.match(await project.run(['exec', '--', 'true']), { code: 4 });
    t.match(await project.run(['env', '-o', 'json']), { code: 4, stdout: '' });
    const dev = await project.run(['exec', '-q', '--env', 'dev', '--', 'sh', '-c', 'echo "$DB"']);
    t.match(dev, { code: 0, stdout: 'd\n' });
    const token = `mvt_${'0'.repeat(64)}`;
    t.match(await project.run(['allow', '--force'], { env: { MAV_TOKEN: token } }), { code: 4 });
  },
);

t.test(
  'allow > on a terminal > shows what is named, and takes no for an answer',
  { skip: skipWithout('python3') },
  async (t) => {
    const project = await createProject(t);
    project.write('mav.toml', NAMES_PROD);
    const terminal = mavOnTerminal(t, { ...project, folder: project.app }, ['allow']);
    await terminal.see('[y/N] ');
    terminal.type(`n${KEYS.enter}`);
    const { code, shown } = await terminal.ended();
    t.not(code, 0);
    t.match(shown, /DB: mav:\/\/prod\/db/);
    t.match(await project.run(['allow', '--remove']), { stderr: /was not allowed/ });
  },
);
