/**
 * A client that is generated from the OpenAPI document, as users of other languages do it: it compiles, and a program
 * that uses every route through it does what it says, on the built daemon.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { locateSessionToken, readSessionToken } from '../src/places/session-token.ts';
import { routes } from '../src/routes.ts';
import { startDaemon } from './fixtures/daemon.ts';
import { type Finished, finished } from './fixtures/vault.ts';

const CLIENT = new URL('generated-client/', import.meta.url).pathname;
const PROGRAM = new URL('generated-client/program.ts', import.meta.url);
const DOCUMENT = new URL('../src/http/openapi.json', import.meta.url).pathname;

/** A file of a package, as it is installed for the importer. */
function findFile(name: string, path: string, importer: URL): string {
  const found = findPackageJSON(name, importer);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return join(dirname(found), path);
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mav-client-')));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const daemon = await startDaemon(t);

/** In the client's folder. */
function run(...command: string[]): Promise<Finished> {
  return finished(spawn(process.execPath, command, { cwd: CLIENT, env: daemon.env }));
}

t.test('openapi.json > given to a generator > valid, and its client compiles with a program', async (t) => {
  const generator = findFile('openapi-typescript', 'bin/cli.js', PROGRAM);
  const types = join(folder, 'schema.d.ts');
  const generated = await run(generator, DOCUMENT, '--redocly', 'redocly.yaml', '--output', types);
  t.equal(generated.code, 0, generated.stderr);
  t.notMatch(generated.stderr, /⚠|warn|error/i, 'the validator has nothing to say');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(CLIENT, 'tsconfig.json'),
      // The generated types are taken to lie beside the program.
      compilerOptions: {
        rootDir: '/',
        rootDirs: [CLIENT, folder],
        typeRoots: [join(CLIENT, '../../node_modules/@types')],
      },
      include: [CLIENT],
    }),
  );
  const compiled = await run(
    findFile('typescript', 'bin/tsc', new URL(import.meta.url)),
    '--project',
    folder,
  );
  t.equal(compiled.code, 0, compiled.stdout);
});

t.test('a generated client > every route used on the daemon > as the program expects', async (t) => {
  const session = readSessionToken(locateSessionToken(daemon.env, daemon.socket)) ?? '';
  const ran = await run(PROGRAM.pathname, daemon.socket, daemon.admin, session);
  t.equal(ran.code, 0, ran.stderr);
  const used = Object.keys(JSON.parse(ran.stdout)).toSorted();
  const all = routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  t.strictSame(used, all.toSorted(), 'every route was used');
});
