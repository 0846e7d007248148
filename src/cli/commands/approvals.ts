/** `mav approvals`: waits for requests that need the owner's yes, and asks for each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Approval } from '../../client/types.ts';
import { describeApproval } from '../approvals/describe-approval.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT, type ExitCode, hasErrorCode, usageError } from '../run/failure.ts';
import { refuseToken, withDaemon } from '../vault/access.ts';
import { SAID } from '../vault/decide-approval.ts';

/** Seconds. */
const WAIT = 30;
/** After an answer that decided nothing, so that a broken pinentry does not spin. */
const PAUSE_MS = 1_000;

/** Returns the answer; null if there was none. */
type Ask = (approval: Approval) => Promise<boolean | null>;

export const run: Run = async (input) => {
  const { context } = input;
  refuseToken(input, 'approve requests');
  if (input.output === 'json') {
    const approvals = await withDaemon(input, (client) => client.listApprovals());
    context.printJson(JSON.stringify(approvals));
    return EXIT.done;
  }
  const ask = chooseAsk(input);
  context.say('Waiting for requests that need your yes. Ctrl-C ends it.');
  for (;;) {
    await answerNext(input, ask);
    // A signal came while an answer was sent, which was carried to its end (guardChanges).
    if (process.exitCode !== undefined) return Number(process.exitCode) as ExitCode;
  }
};

/** Throws CliError if there is neither a terminal nor a display to ask on. */
function chooseAsk({ context, flag }: Input): Ask {
  const { env } = context;
  const hasDisplay = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
  if (flag('pinentry') || (!context.canAskPassphrase && hasDisplay)) return askInWindow(env);
  if (!context.canAskPassphrase)
    throw usageError('nobody can be asked here; give --pinentry, or list the requests with -o json');
  return askOnTerminal;
}

const askInWindow =
  (env: NodeJS.ProcessEnv): Ask =>
  async (approval) => {
    const { askByPinentry } = await import('../approvals/pinentry.ts');
    const lines = describeApproval(approval, 8);
    const untilMs = Date.parse(approval.expires_at);
    return askByPinentry({ lines, yes: 'Let it read', no: 'Refuse', untilMs }, env);
  };

const askOnTerminal: Ask = async (approval) => {
  const { askText } = await import('../terminal/prompt.ts');
  const question = [...describeApproval(approval), 'Let it? [y/N] '].join('\n');
  return ['y', 'yes'].includes((await askText(question)).trim().toLowerCase());
};

/** On a connection for each step: the daemon closes one on which nothing moves while somebody thinks. */
async function answerNext(input: Input, ask: Ask): Promise<void> {
  const { context } = input;
  const [approval] = await withDaemon(input, (client) => client.listApprovals({ wait: WAIT }));
  if (approval === undefined) return;
  const isApproved = await ask(approval);
  if (isApproved === null) return void (await sleep(PAUSE_MS));
  const answer = isApproved ? 'approve' : 'deny';
  try {
    await withDaemon(input, (client) => client[answer](approval.id));
    context.say(SAID[answer]);
  } catch (error) {
    if (!hasErrorCode(error, 'not_found')) throw error;
    context.say('That request is over already.');
  }
}
