/** `mav doctor`: looks at everything that can be wrong with a vault, and says what to do. It changes nothing. */
import { styleText } from 'node:util';
import { isAlive } from '../../client/alive.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { nameVault } from '../../text/name-vault.ts';
import { checkDaemon } from '../doctor/daemon.ts';
import { type Finding, fail } from '../doctor/finding.ts';
import { checkMachine } from '../doctor/machine.ts';
import { checkPlaces } from '../doctor/places.ts';
import { checkProgram } from '../doctor/program.ts';
import { checkVault } from '../doctor/vault.ts';
import type { Input, Run } from '../run/command.ts';
import type { Context } from '../run/context.ts';
import { EXIT, toCliError } from '../run/failure.ts';
import { reportVault } from '../vault/vault-report.ts';

export const run: Run = async (input) => {
  const { context, output } = input;
  const silence = await findSilence(input);
  const outside = [
    ...checkProgram(input),
    ...checkMachine(),
    ...checkPlaces(input),
    ...(silence !== null ? [fail('daemon', silence)] : await orFail('daemon', checkDaemon(input))),
  ];
  // Two checks may meet the same obstacle. Equal lines are printed once; nothing else depends on their text.
  const said = new Set(outside.map(({ detail }) => detail));
  // A daemon that does not answer has the vault.
  const inside = silence !== null ? [] : await checkVault(input);
  const checks = [...outside, ...inside.filter(({ detail }) => !said.has(detail))].map((check) => ({
    ...check,
    detail: nameVault(check.detail),
  }));
  const isWell = checks.every(({ result }) => result !== 'FAIL');
  if (output === 'json') context.printJson(JSON.stringify({ ok: isWell, checks }));
  else for (const check of checks) printFinding(check, context);
  return isWell ? EXIT.done : EXIT.failed;
};

/** Returns what is wrong with a daemon that does not answer; null if it answers, or no daemon runs. */
async function findSilence(input: Input): Promise<string | null> {
  if (!(await isAlive(input.home.socketPath))) return null;
  try {
    const { daemon, reason } = await reportVault(input);
    return daemon === 'not answering' ? reason : null;
  } catch {
    // Said by the check of the vault.
    return null;
  }
}

/** A check that cannot be made is a finding; the other checks go on. */
async function orFail(check: string, findings: Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await findings;
  } catch (error) {
    return [fail(check, toCliError(error).message)];
  }
}

const RESULT_WIDTH = 6;
const CHECK_WIDTH = 13;
const COLORS = { ok: 'green', warn: 'yellow', FAIL: 'red' } as const;

function printFinding({ check, result, detail }: Finding, { hasColor, print }: Context): void {
  const padded = result.padEnd(RESULT_WIDTH);
  const mark = hasColor ? styleText(COLORS[result], padded, { validateStream: false }) : padded;
  print(`${check.padEnd(CHECK_WIDTH)}${escapeControls(detail)}`, mark);
}
