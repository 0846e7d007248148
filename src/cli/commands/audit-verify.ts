/** `mav audit verify`: whether somebody without the key changed the audit log. */
import { describeProblem } from '../audit/describe-problem.ts';
import type { Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { Progress } from '../terminal/progress.ts';
import { withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const { context, output } = input;
  const progress = new Progress(input);
  progress.showElapsed('Verifying the audit log');
  const verified = await withVault(input, (client) => client.verifyAudit().finally(() => progress.end()));
  const { status, segments, entries, problems, problem_count: count } = verified;
  if (output === 'json') context.printJson(JSON.stringify(verified));
  else if (status === 'intact')
    context.print(
      `The audit log is intact: ${countOf(entries, 'entry', 'entries')} in ${countOf(segments, 'file', 'files')}.`,
    );
  else for (const problem of problems) context.print(describeProblem(problem));
  if (status === 'intact') return EXIT.done;
  const unnamed = count > problems.length ? `, ${count - problems.length} of them not shown` : '';
  throw new CliError(EXIT.failed, `the audit log has ${countOf(count, 'problem', 'problems')}${unnamed}`);
};

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
