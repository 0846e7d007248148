/** Reads a vault of the Go program through a thread of its own. This process gets its secrets as the body of an import. */
import { resolve } from 'node:path';
import type { GoVaultReport, NamedProblem } from '../../../workers/messages.ts';
import { adviseOn } from '../../remedies.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, exitCodeOf } from '../run/failure.ts';
import { poolOptions } from '../vault/pool-options.ts';
import { chooseReader } from '../vault/remedy-readers.ts';

export interface GoVault {
  readonly report: GoVaultReport;
  /** The body of an import, with the values. Whoever has it zeroes it. */
  readonly body: Uint8Array;
}

const LINE_END = 0x0a;

/** Throws CliError if it cannot be imported as a whole, or without what `--skip-refused` leaves out. */
export async function readGoVault(input: Input, path: string): Promise<GoVault> {
  const { context, home, text, flag } = input;
  const { Pools } = await import('../../pool/pools.ts');
  // It will have the values, as the daemon has.
  (await import('../../daemon/libc.ts')).Libc.open()?.forbidDumping();
  const keyFile = text('key-file');
  const params = {
    path,
    ...(keyFile === undefined ? {} : { key_file: resolve(keyFile) }),
    ...(flag('skip-refused') ? { skip: 'true' } : {}),
  };
  const pools = new Pools(poolOptions(context, home, undefined, 0, null), () => {});
  try {
    const result = await pools.control({ operation: 'goVault.read', params, body: null, mayReplace: false });
    if (!result.ok) throw new CliError(exitCodeOf(result.code), adviseOn(result, chooseReader('key')));
    const vault = split(result.body);
    checkReport(input, path, vault.report);
    return vault;
  } finally {
    await pools.close();
  }
}

/** The report is the last line. */
function split(bytes: Uint8Array): GoVault {
  const end = bytes.lastIndexOf(LINE_END);
  return {
    report: JSON.parse(Buffer.from(bytes.subarray(end + 1)).toString()),
    body: bytes.subarray(0, end),
  };
}

function checkReport({ context, flag }: Input, path: string, report: GoVaultReport): void {
  const { refused, unreadable, parts } = report;
  if (parts > 0 && unreadable.length === parts)
    throw new CliError(
      EXIT.failed,
      `nothing in ${path} opens with this key; it is the key of another vault, or the file is damaged; nothing was imported`,
    );
  const isRefused = refused.length > 0 && !flag('skip-refused');
  const problems = unreadable.length > 0 ? unreadable : isRefused ? refused : [];
  if (problems.length === 0) return;
  for (const problem of problems) context.complain(`mav: ${describeProblem(problem)}`);
  const isOne = problems.length === 1;
  const count = `${isOne ? 'one part' : `${problems.length} parts`} of ${path}`;
  throw new CliError(
    EXIT.failed,
    unreadable.length > 0
      ? `${count} ${isOne ? 'is damaged, or was' : 'are damaged, or were'} changed without the key; ` +
          'delete what is named with the Go program; nothing was imported'
      : `${count} cannot be in a vault of mav; --skip-refused leaves out what is named; nothing was imported`,
  );
}

/** `db in prod: its value is empty`. */
export function describeProblem({ name, environment, field, problem }: NamedProblem): string {
  return `${describeSecret(name, environment, field)}: ${problem}`;
}
