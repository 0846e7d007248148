/** The architecture, as far as imports show it. Each rule is also held against a tree that breaks it. */
import { dirname } from 'node:path';
import t from 'tap';
import { findCycle, type Import, readTree, type Scan, scanImports, type Tree } from './fixtures/imports.ts';

const root = dirname(import.meta.dirname);

const MESSAGES = 'workers/messages.ts';
const KEEPER = 'src/pool/keeper.ts';
const OWNERSHIP = 'src/daemon/ownership.ts';
/** failures.ts knows both sides' errors, and nothing else of them; open-vault.ts has types only. */
const JOINING_FILES = [
  'workers/reader.ts',
  'workers/writer.ts',
  'workers/vault.ts',
  'workers/open-vault.ts',
  'workers/failures.ts',
];
const STORE_MAY_USE = ['better-sqlite3', 'node:fs', 'node:path'];
const ENVELOPE_MAY_USE = ['node:crypto', 'node:buffer'];
/** The only one that calls libsodium, whose addon checks no lengths. */
const SODIUM = 'workers/envelope/sodium.ts';

/** They read another program's vault. */
const GO_OPERATIONS = ['workers/operations/go-vault.ts', 'workers/operations/replace-go-vault.ts'];

interface Rule {
  readonly name: string;
  /** What in one file's scan breaks the rule, in words. */
  findBreaches(file: string, scan: Scan): string[];
  /** Sources that break it, each by itself. */
  readonly broken: readonly (readonly [file: string, source: string])[];
}

/** A rule about single imports. */
function forbid(name: string, isForbidden: (edge: Import) => boolean, broken: Rule['broken']): Rule {
  return {
    name,
    broken,
    findBreaches: (_file, { imports }) =>
      imports.filter(isForbidden).map(({ from, to, kind }) => `${from} takes ${to} (${kind})`),
  };
}

function isIn(path: string, ...folders: string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

function isOfTree(path: string): boolean {
  return isIn(path, 'src', 'workers');
}

/** Who may hold both a row and the key that opens it. */
function joinsStoreAndKeys(file: string, { imports }: Scan): string[] {
  if (
    isIn(
      file,
      'workers/operations',
      'workers/entries',
      'workers/audit',
      'workers/rotation',
      'workers/row-set',
    ) ||
    JOINING_FILES.includes(file)
  )
    return [];
  const store = imports.find(({ to }) => isIn(to, 'workers/store'));
  const keys = imports.find(({ to }) => isIn(to, 'workers/envelope', 'workers/keys'));
  return store && keys ? [`${file} takes ${store.to} and ${keys.to}`] : [];
}

const rules: Rule[] = [
  forbid(
    'src > takes from workers nothing but the types of messages.ts',
    ({ from, to, kind }) => isIn(from, 'src') && isIn(to, 'workers') && !(kind === 'type' && to === MESSAGES),
    [
      ['src/a.ts', `import { type Call } from '../workers/messages.ts';`],
      ['src/a.ts', `import type { Keyring } from '../workers/keys/keyring.ts';`],
      ['src/a.ts', `export * from '../workers/json/reply.ts';`],
      ['src/http/a.ts', `const { open } = await import('../../workers/envelope/payload.ts');`],
    ],
  ),
  forbid('workers > takes nothing from src', ({ from, to }) => isIn(from, 'workers') && isIn(to, 'src'), [
    ['workers/a.ts', `import type { Route } from '../src/routes.ts';`],
  ]),
  forbid(
    'workers/envelope > takes node:crypto and its own folder only, and sodium.ts what it loads the addon with',
    ({ from, to }) =>
      isIn(from, 'workers/envelope') &&
      !isIn(to, 'workers/envelope') &&
      !ENVELOPE_MAY_USE.includes(to) &&
      !(from === SODIUM && to === 'node:module'),
    [
      ['workers/envelope/a.ts', `import { readFileSync } from 'fs';`],
      ['workers/envelope/a.ts', `import { createRequire } from 'node:module';`],
      ['workers/envelope/a.ts', `import type { Call } from '../messages.ts';`],
    ],
  ),
  {
    name: 'src and workers > only envelope/sodium.ts names sodium-native',
    findBreaches: (file, { strings, imports }) =>
      file === SODIUM
        ? []
        : [...strings, ...imports.map(({ to }) => to)]
            .filter((text) => text.includes('sodium-native'))
            .map((text) => `${file} names ${text}`),
    broken: [
      ['workers/envelope/a.ts', `const file = 'sodium-native/prebuilds/linux-x64/sodium-native.node';`],
      ['workers/keys/a.ts', `import sodium from 'sodium-native';`],
    ],
  },
  forbid(
    'workers/store > takes of packages better-sqlite3 only, and no crypto',
    ({ from, to }) => isIn(from, 'workers/store') && !isOfTree(to) && !STORE_MAY_USE.includes(to),
    [
      ['workers/store/a.ts', `const crypto = process.getBuiltinModule('node:crypto');`],
      ['workers/store/a.ts', `import { z } from 'zod/v4';`],
    ],
  ),
  forbid(
    'workers/store > takes nothing from envelope, keys, tokens, entries and operations',
    ({ from, to }) =>
      isIn(from, 'workers/store') &&
      isIn(to, 'workers/envelope', 'workers/keys', 'workers/tokens', 'workers/entries', 'workers/operations'),
    [['workers/store/a.ts', `import { encryptPayload } from '../envelope/payload.ts';`]],
  ),
  forbid(
    'workers/keys > takes nothing from store, entries and operations',
    ({ from, to }) =>
      isIn(from, 'workers/keys') && isIn(to, 'workers/store', 'workers/entries', 'workers/operations'),
    [['workers/keys/slots/a.ts', `import type { SlotRow } from '../../store/keys.ts';`]],
  ),
  forbid(
    'workers/go-vault > only its two operations take it, and these are loaded for the import alone',
    ({ from, to, kind }) =>
      (isIn(to, 'workers/go-vault') && !isIn(from, 'workers/go-vault') && !GO_OPERATIONS.includes(from)) ||
      (GO_OPERATIONS.includes(to) && kind !== 'dynamic'),
    [
      ['workers/operations/a.ts', `import { readRows } from '../go-vault/rows.ts';`],
      ['workers/a.ts', `import { readGoVault } from './operations/go-vault.ts';`],
    ],
  ),
  forbid(
    'workers/errors and workers/files > take of the tree only messages.ts and their own folder',
    ({ from, to }) =>
      isIn(from, 'workers/errors', 'workers/files') &&
      isOfTree(to) &&
      dirname(from) !== dirname(to) &&
      to !== MESSAGES,
    [
      ['workers/errors/a.ts', `import { IntegrityError } from '../envelope/integrity.ts';`],
      ['workers/files/a.ts', `import type { Vault } from '../vault.ts';`],
    ],
  ),
  {
    name: 'workers > only operations, entries, audit, rotation, row-set and the thread entries join store with envelope or keys',
    findBreaches: joinsStoreAndKeys,
    broken: [
      [
        'workers/bodies/schemas.ts',
        `import { listSecrets } from '../store/secrets.ts';\nimport { decryptPayload } from '../envelope/payload.ts';`,
      ],
    ],
  },
  forbid(
    'src/http > never takes src/pool',
    ({ from, to }) => isIn(from, 'src/http') && isIn(to, 'src/pool'),
    [['src/http/server.ts', `import type { Pools } from '../pool/pools.ts';`]],
  ),
  forbid(
    'src/cli > reaches daemon and pool by dynamic import only',
    ({ from, to, kind }) => isIn(from, 'src/cli') && isIn(to, 'src/daemon', 'src/pool') && kind === 'static',
    [['src/cli/commands/a.ts', `import { serve } from '../../daemon/serve.ts';`]],
  ),
  forbid(
    'src/cli/run > takes nothing from the other rooms of the command line',
    ({ from, to }) => isIn(from, 'src/cli/run') && isIn(to, 'src/cli') && !isIn(to, 'src/cli/run'),
    [['src/cli/run/a.ts', `import type { Form } from '../formats/forms.ts';`]],
  ),
  forbid(
    'src > only pool/keeper.ts takes piscina',
    ({ from, to }) => isIn(from, 'src') && to === 'piscina' && from !== KEEPER,
    [['src/pool/batch.ts', `import { Piscina } from 'piscina';`]],
  ),
  forbid(
    'src > only pool/ starts threads',
    ({ from, to }) => isIn(from, 'src') && to === 'node:worker_threads' && !isIn(from, 'src/pool'),
    [['src/daemon/held-vault.ts', `import { Worker } from 'node:worker_threads';`]],
  ),
  {
    name: 'src > only pool/keeper.ts names worker files',
    findBreaches: (file, { strings }) =>
      isIn(file, 'src') && file !== KEEPER
        ? strings.filter((text) => text.includes('workers/')).map((text) => `${file} names ${text}`)
        : [],
    broken: [
      ['src/a.ts', `new Worker(new URL('../workers/reader.js', import.meta.url));`],
      ['src/a.ts', 'const file = `../workers/${name}.js`;'],
    ],
  },
  forbid('src > never takes zod', ({ from, to }) => isIn(from, 'src') && to === 'zod', [
    ['src/places/config.ts', `import * as z from 'zod';`],
  ]),
  forbid(
    'src > only daemon/ownership.ts takes better-sqlite3',
    ({ from, to }) => isIn(from, 'src') && to === 'better-sqlite3' && from !== OWNERSHIP,
    [['src/cli/vault/access.ts', `import Database from 'better-sqlite3';`]],
  ),
];

function scanTree(tree: Tree): Map<string, Scan> {
  return new Map([...tree].map(([file, source]) => [file, scanImports(file, source)]));
}

function findBreaches(rule: Rule, scans: ReadonlyMap<string, Scan>): string[] {
  return [...scans].flatMap(([file, scan]) => rule.findBreaches(file, scan));
}

const tree = scanTree(readTree(root, ['src', 'workers']));
const imports = [...tree.values()].flatMap((scan) => scan.imports);

t.test('scan > the checkout > every import of the tree leads to one of its files', async (t) => {
  t.ok(tree.size > 20, 'the tree was read');
  const dangling = imports.filter(({ to }) => (isOfTree(to) || to.startsWith('.')) && !tree.has(to));
  t.same(
    dangling.map(({ from, to }) => `${from} takes ${to}`),
    [],
  );
});

for (const rule of rules) {
  t.test(`imports > ${rule.name} > holds, and can fail`, async (t) => {
    t.same(findBreaches(rule, tree), []);
    for (const [file, source] of rule.broken) {
      t.equal(findBreaches(rule, scanTree(new Map([[file, source]]))).length, 1, source);
    }
  });
}

t.test(
  'imports > what a worker starts with > is without zod, which takes longer than all the rest',
  async (t) => {
    const reach = (file: string, reached = new Set<string>()): Set<string> => {
      for (const { to, kind } of tree.get(file)?.imports ?? []) {
        if (kind !== 'static' || reached.has(to)) continue;
        reached.add(to);
        reach(to, reached);
      }
      return reached;
    };
    for (const file of ['workers/reader.ts', 'workers/writer.ts']) {
      t.ok(reach(file).has('workers/operations/secrets.ts'), `${file}: its imports are followed`);
      t.notOk(reach(file).has('zod'), file);
    }
    t.ok(reach('workers/bodies/schemas.ts').has('zod'), 'and it would be found');
  },
);

t.test('imports > cycles, type imports counted > there is none, and one would be found', async (t) => {
  t.equal(findCycle(imports), null);
  const circular = new Map([
    ['src/a.ts', `import { b } from './b.ts';`],
    ['src/b.ts', `import type { C } from './c/c.ts';`],
    ['src/c/c.ts', `export { a } from '../a.ts';`],
  ]);
  const cycle = findCycle([...scanTree(circular).values()].flatMap((scan) => scan.imports));
  t.same(cycle, ['src/a.ts', 'src/b.ts', 'src/c/c.ts', 'src/a.ts']);
});

t.test('scan > every form of import > is found with its kind', async (t) => {
  const source = `
    #!/usr/bin/env node
    import a, { b as c } from './a.ts';
    import type D from './d.ts';
    import type { E } from './e.ts';
    import { type F } from './f.ts';
    import './g.ts';
    import {
      h,
    } from "./h.ts";
    export type { I } from './i.ts';
    export * as j from './j.ts';
    export type K = { from: 'nowhere' };
    export const l = { import: 'no', from: './no.ts' };
    const m = import.meta.url, n = await import('./n.ts'), o = require('@scope/o/deep');
    type P = import('./p.ts').P;
    import fs, { type Stats } from 'fs';
  `;
  const found = scanImports('src/x.ts', source).imports.map(({ to, kind }) => `${to} ${kind}`);
  t.same(found, [
    'src/a.ts static',
    'src/d.ts type',
    'src/e.ts type',
    'src/f.ts static',
    'src/g.ts static',
    'src/h.ts static',
    'src/i.ts type',
    'src/j.ts static',
    'src/n.ts dynamic',
    '@scope/o dynamic',
    'src/p.ts dynamic',
    'node:fs static',
  ]);
});

t.test('scan > comments, templates and regular expressions > hide no import and make none', async (t) => {
  const source = [
    `// import './comment.ts';`,
    `/* import('./comment.ts') */`,
    'const a = `import "./no.ts" ${`${"}"}` + b} \\` import("./no.ts")`;',
    `const c = /['"\`/*]/.test(x) ? 4 / 2 / 1 : x.replace(/[/'"]+/g, '');`,
    `import d from './d.ts';`,
    `return /'/.exec(e)?.[0] ?? await import('./e.ts');`,
  ].join('\n');
  t.same(
    scanImports('src/x.ts', source).imports.map(({ to }) => to),
    ['src/d.ts', 'src/e.ts'],
  );
});

t.test('scan > an import of something computed > is refused', async (t) => {
  t.throws(() => scanImports('src/x.ts', 'await import(`./${name}.ts`);'), /no string literal/);
  t.throws(() => scanImports('src/x.ts', 'require(name)'), /no string literal/);
});
