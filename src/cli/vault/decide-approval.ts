/** `mav approve ID` and `mav deny ID`: answer one request. */
import type { Input } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, hasErrorCode } from '../run/failure.ts';
import { refuseToken, withDaemon } from './access.ts';

/** How each answer is said. */
export const SAID = { approve: 'Approved.', deny: 'Refused.' } as const;

/** Throws CliError if no request with the ID in the arguments waits. */
export async function decide(input: Input, answer: keyof typeof SAID): Promise<ExitCode> {
  const [id = ''] = input.args;
  refuseToken(input, `${answer} requests`);
  try {
    await withDaemon(input, (client) => client[answer](id));
  } catch (error) {
    if (!hasErrorCode(error, 'not_found')) throw error;
    throw new CliError(
      EXIT.notFound,
      'no request with this ID waits for an answer; mav approvals -o json lists them',
    );
  }
  input.context.say(SAID[answer]);
  return EXIT.done;
}
