/**
 * Everything that the threads with keys load: each module of a package and each addon, measured in the threads themselves.
 * What is new here is a decision, since it gets at the keys.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startDaemon } from './fixtures/daemon.ts';
import { waitUntil } from './fixtures/raw.ts';
import { createSandbox } from './fixtures/vault.ts';

const ROOT = dirname(import.meta.dirname);
const PROBE = new URL('fixtures/module-probe.mjs', import.meta.url).href;
const SYSTEM = `${process.platform}-${process.arch}`;

const SQLITE = [
  ...['index', 'database', 'util', 'sqlite-error', 'binding'].map((name) => `lib/${name}.js`),
  ...['wrappers', 'transaction', 'pragma', 'explain', 'backup', 'serialize', 'function', 'aggregate'].map(
    (name) => `lib/methods/${name}.js`,
  ),
  ...['table', 'inspect'].map((name) => `lib/methods/${name}.js`),
  `prebuilds/${SYSTEM}.node`,
].map((file) => `node_modules/better-sqlite3/${file}`);

/** A reader's. None of sodium-native's JavaScript, which would bring some twenty packages along. */
const READER = [
  'dist/workers/reader.js',
  ...['worker', 'symbols', 'common'].map((name) => `node_modules/piscina/dist/${name}.js`),
  ...SQLITE,
  `node_modules/sodium-native/prebuilds/${SYSTEM}/sodium-native.node`,
];

/** The writer also draws passphrases. It parses bodies with zod, which its bundle contains. */
const WRITER = [
  ...READER.map((file) => file.replace('reader.js', 'writer.js')),
  'node_modules/@scure/bip39/wordlists/english.js',
];

const toEntry = (url: string) => fileURLToPath(url).slice(ROOT.length + 1);

function readModules(folder: string): string[][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as string[])
    .map((urls) => [...new Set(urls.filter((url) => !url.startsWith('node:')).map(toEntry))].sort());
}

t.test(
  'worker threads > after reads, writes and a drawn passphrase > loaded these modules alone',
  async (t) => {
    const sandbox = createSandbox(t);
    const folder = join(sandbox.folder, 'probe');
    mkdirSync(folder);
    sandbox.env.MAV_PROBE = folder;
    const daemon = await startDaemon(t, { sandbox, node: ['--import', PROBE] });
    const body = { name: 'a', words: 4 };
    t.equal((await daemon.ask('POST', '/v1/generate', { body })).status, 200);
    t.equal((await daemon.ask('GET', '/v1/secrets/a')).status, 200);
    const isComplete = (modules: string[]) => modules.some((file) => file.includes('sodium-native'));
    const expected = [READER, WRITER].map((files) => files.toSorted());
    await waitUntil(() => readModules(folder).filter(isComplete).length >= expected.length);
    const found = readModules(folder).filter(isComplete);
    for (const modules of found)
      t.same(modules, expected[modules.includes('dist/workers/writer.js') ? 1 : 0]);
    t.ok(found.some((modules) => modules.includes('dist/workers/writer.js')));
  },
);
