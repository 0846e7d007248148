/** Which names a glob matches. */
import t from 'tap';
import { matchesGlob } from '../workers/entries/glob.ts';

const CASES: readonly (readonly [glob: string, matching: readonly string[], others: readonly string[]])[] = [
  ['db', ['db'], ['', 'd', 'dbx', 'DB', 'x/db']],
  ['', [''], ['a']],
  ['*', ['', 'a', 'a.b'], ['/', 'a/b']],
  ['**', ['', 'a', 'a/b/c', '/'], []],
  ['ci/*', ['ci/', 'ci/a'], ['ci', 'ci/a/b', 'x/ci/a']],
  ['ci/**', ['ci/', 'ci/a', 'ci/a/b'], ['ci', 'cix/a']],
  ['*/key', ['a/key', '/key'], ['key', 'a/b/key']],
  ['**/key', ['a/key', 'a/b/key', '/key'], ['key']],
  ['a*b*c', ['abc', 'axxbyyc', 'abbcc'], ['ab', 'ac', 'a/bc']],
  ['a**c', ['ac', 'a/b/c'], ['a/b']],
  ['?[a].', ['?[a].'], ['xa.', 'a']],
  ['größe/*', ['größe/🔑'], ['grosse/a']],
];

t.test('matchesGlob > each kind of pattern > these names and no others', async (t) => {
  for (const [glob, matching, others] of CASES) {
    for (const name of matching) t.ok(matchesGlob(glob, name), `${glob} matches ${name}`);
    for (const name of others) t.notOk(matchesGlob(glob, name), `${glob} does not match ${name}`);
  }
});

t.test('matchesGlob > a pattern of stars against a long name > not exponential', async (t) => {
  const glob = `${'*a'.repeat(128)}*b`;
  t.notOk(matchesGlob(glob, 'a'.repeat(512)));
  t.notOk(matchesGlob(`${'**a'.repeat(128)}b`, 'a/'.repeat(256)));
});
