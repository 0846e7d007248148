/** Measures `mav list` of a large vault on a terminal, which gets it as a table, beside the same list as JSON into a pipe. */
import { spawnSync } from 'node:child_process';
import { compare } from '../compare.ts';
import type { Bench } from '../context.ts';
import { BIN } from '../daemon.ts';
import { smallSecrets } from '../fillings.ts';
import { timeProgram } from '../processes.ts';
import { milliseconds, type Row } from '../row.ts';

const LISTED = 20_000;
const TARGET = { atMost: 400 };
const ROUNDS = 15;

export async function measureTerminalList({ vaults }: Bench): Promise<Row[]> {
  const what = `mav list of ${LISTED.toLocaleString('en')} on a terminal`;
  // util-linux's, which runs a command on a terminal of its own and copies what it shows.
  if (spawnSync('script', ['--version']).status !== 0)
    return [{ what, measured: 'script (util-linux) is not installed', figure: null }];
  const { env } = await vaults.get(smallSecrets(LISTED));
  const list = [process.execPath, BIN, 'list'];
  const onTerminal = ['script', '-qfec', list.map((word) => `'${word}'`).join(' '), '/dev/null'];
  const shown = { ...env, COLUMNS: '120', TERM: 'xterm', SHELL: '/bin/sh' };
  const { subject, reference } = await compare(
    ROUNDS,
    () => timeProgram(onTerminal, shown),
    () => timeProgram(list, env),
  );
  const measured = `as JSON into a pipe ${milliseconds(reference)}`;
  return [{ what, measured, figure: subject, unit: ' ms', target: TARGET }];
}
