/** The command line as a script that was compiled when it was built: V8 takes it, and does without it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { copyProgram } from './fixtures/copied-program.ts';
import { BIN, createSandbox } from './fixtures/vault.ts';

const compiledOf = (name: string) => `${name}.${process.platform}-${process.arch}.bin`;

t.test('the compiled scripts > the Node that built them > V8 takes them', (t) => {
  const folder = join(BIN, '..');
  for (const name of ['cli', 'everyday-cli']) {
    const source = readFileSync(join(folder, `${name}.js`), 'latin1');
    t.match(source, /^[\0-\x7f]*$/, 'latin1 and UTF-8 are the same');
    const script = new Script(source, { cachedData: readFileSync(join(folder, compiledOf(name))) });
    t.equal(script.cachedDataRejected, false);
  }
  t.end();
});

t.test('the compiled script > it is gone, cut off, or made with other flags > the same output', (t) => {
  const { folder, env } = createSandbox(t);
  const { bin } = copyProgram(join(folder, 'program'));
  const compiled = join(bin, '..', compiledOf('cli'));
  const run = (...node: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [...node, bin, '--help'], {
      env,
      encoding: 'utf8',
    });
    return { stdout, stderr, status };
  };
  const whole = run();
  t.match(whole, { stdout: /^Usage:/, stderr: '', status: 0 });
  t.same(run('--max-lazy'), whole, 'other flags');
  writeFileSync(compiled, readFileSync(compiled).subarray(0, 100_000));
  t.same(run(), whole, 'cut off');
  writeFileSync(compiled, '');
  t.same(run(), whole, 'empty');
  rmSync(compiled);
  t.same(run(), whole, 'gone');
  t.end();
});
