/** What README and docs/ say of commands, options, routes and files is so. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { commands } from '../src/cli/command-table/commands.ts';
import { optionsOf } from '../src/cli/command-table/options.ts';
import { routes } from '../src/routes.ts';
import { readBlocks, readCommands, readLinks, readRows } from './fixtures/markdown.ts';

const root = dirname(import.meta.dirname);
const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const DOCUMENTS = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
/** It shows commands of the Go program, too. */
const OF_THIS_PROGRAM = DOCUMENTS.filter((path) => path !== 'docs/from-go.md');

const names = new Set(Object.keys(commands));
const aliases = new Map(
  Object.entries(commands).flatMap(([name, { aliases = [] }]) => aliases.map((alias) => [alias, name])),
);

/** The command whose words `text` begins with, or null. */
function findCommand(text: string): string | null {
  const [first = '', second = ''] = text.split(/[^a-z-]+/);
  const found = [`${first} ${second}`, first].map((words) => aliases.get(words) ?? words);
  return found.find((words) => names.has(words)) ?? null;
}

function takes(command: string, option: string): boolean {
  const options = optionsOf(commands[command]!);
  if (option.length === 1) return Object.values(options).some(({ short }) => short === option);
  return (
    Object.hasOwn(options, option) || Object.values(options).some(({ aliases }) => aliases?.includes(option))
  );
}

/** The options in a text, without their dashes; what stands behind ` -- ` is another program's. */
function findOptions(text: string): string[] {
  const own = text.split(/ -- |#|\|/)[0] ?? '';
  return [...own.matchAll(/(?<=[\s"(])--?([a-z][a-z-]*)/g)].map(([, option = '']) => option);
}

t.test('README > its table of commands > has them all, with options that they take', async (t) => {
  const described = new Set<string>();
  for (const [cell = '', text = ''] of readRows(read('README.md')).filter(([cell]) =>
    cell?.startsWith('`mav '),
  )) {
    const words = [...cell.matchAll(/`mav ([^`]*)`/g)].flatMap(([, named = '']) => spread(named));
    const found = words.map(findCommand);
    t.notOk(found.includes(null), `there is each of ${cell}`);
    for (const name of found) described.add(name ?? '');
    const options = [...`${cell} ${text}`.matchAll(/(?<=[`[\s])--([a-z-]+)/g)].map(
      ([, option = '']) => option,
    );
    for (const option of options)
      t.ok(
        found.some((name) => name !== null && takes(name, option)),
        `${cell} takes --${option}`,
      );
  }

  t.strictSame(described, names);
});

/** `service install\\|start` names two commands. */
function spread(named: string): string[] {
  const [first = '', ...others] = named.split('\\|');
  const [noun = ''] = first.split(' ');
  return [first, ...others.filter(() => noun === 'service').map((verb) => `${noun} ${verb}`)];
}

t.test('documents > commands that they show > are there, with the options that they are given', async (t) => {
  for (const path of OF_THIS_PROGRAM) {
    for (const command of readBlocks(read(path)).flatMap(readCommands)) {
      for (const [, words = ''] of command.matchAll(/(?:^|[|(]\s*)mav ([^|)]*)/g)) {
        const found = findCommand(words);
        t.not(found, null, `${path}: ${command}`);
        for (const option of found === null ? [] : findOptions(` ${words}`))
          t.ok(takes(found ?? '', option), `${path}: ${command}: --${option}`);
      }
    }
  }
});

t.test('documents > npx mav > in the checkout only', async (t) => {
  for (const path of DOCUMENTS) {
    t.notMatch(readBlocks(read(path)).join('\n'), /\bnpx mav\b/, `${path} does not say to type it`);
  }
});

t.test('documents > their links > lead to files, which the package has too', async (t) => {
  for (const path of [...DOCUMENTS, 'CONTRIBUTING.md', 'SECURITY.md']) {
    for (const link of readLinks(read(path))) {
      const [target = ''] = join(dirname(path), link).split('#');
      t.ok(link.startsWith('#') || existsSync(join(root, target)), `${path}: ${link}`);
      // npm packs these in any case.
      const isPacked = /^(README\.md|LICENSE)$/.test(target) || files.includes(target.split('/')[0]);
      t.ok(link.startsWith('#') || isPacked, `${path}: ${link} is packed`);
    }
  }
});

t.test('security.md > the tests that it names > are there, and each in test/hard is named', async (t) => {
  const named = new Set(
    [...read('docs/security.md').matchAll(/\btest\/(?:hard\/)?[a-z-]+(?:\.ts)?/g)].map(([path]) => path),
  );
  t.ok(named.size > 40);
  for (const path of named)
    t.ok(/\.ts$|^test\/hard$/.test(path) && existsSync(join(root, path)), `${path} is a test`);
  for (const name of readdirSync(join(root, 'test/hard')).filter((name) => name.endsWith('.ts')))
    t.ok(named.has(`test/hard/${name}`), `test/hard/${name} has its place on the page`);
});

t.test('README > its table of the API > the routes for tokens, with their parameters', async (t) => {
  const described = new Set<string>();
  for (const [cell = ''] of readRows(read('README.md')).filter(([cell]) =>
    /^`[A-Z, ]+ \/v1\//.test(cell ?? ''),
  )) {
    let path = '';
    for (const [, methods = '', given = '', query = ''] of cell.matchAll(
      /`(?:([A-Z, ]+) )?([/…][^ `]*)([^`]*)`/g,
    )) {
      path = given.replace('…', '/v1/secrets/{name}').replaceAll(/\{(\w+)\}/g, ':$1');
      const known = methods === '' ? ['GET', 'PUT'] : methods.split(', ');
      for (const method of known) {
        const route = routes.find((each) => each.method === method && each.path === path);
        described.add(`${method} ${path}`);
        for (const [, parameter = ''] of query.matchAll(/([a-z_]+)=/g))
          t.ok(
            route?.query.some((known) => known === parameter),
            `${method} ${path} ${parameter}`,
          );
      }
    }
  }
  const expected = routes.filter(({ scope, operation }) => scope !== 'session' && operation !== 'openapi');
  t.strictSame([...described].toSorted(), expected.map(({ method, path }) => `${method} ${path}`).toSorted());
});
