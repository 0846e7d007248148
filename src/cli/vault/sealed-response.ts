/**
 * What becomes of an answer that says the vault is sealed: somebody on the terminal is offered to unseal it, and the request
 * is sent again; else the answer gets a remedy that works for this command. Loaded only when there is such an answer.
 */
import type { Client } from '../../client/client.ts';
import type { Incoming } from '../../client/connection.ts';
import { adviseOn, type Problem } from '../../remedies.ts';
import { describeTyping, explainWrong, noteWrong, tryPassphrases } from '../input/passphrase.ts';
import type { Context } from '../run/context.ts';
import { chooseReader, type Told } from './remedy-readers.ts';

/** The answer, with what to do about it as this command can do it. One without a reason is left as it is. */
export function adviseIn(incoming: Incoming, told: Told, context: Context): Incoming {
  const answer = readAnswer(incoming);
  if (answer === null) return incoming;
  const { message, reason } = answer.problem;
  const said = {
    ...answer.body,
    error: adviseOn({ message, reason }, chooseReader(told, describeTyping(context))),
  };
  return { ...incoming, body: Buffer.from(JSON.stringify(said)) };
}

/**
 * Whether the vault was unsealed by somebody on the terminal. Only one that is sealed, or that lacks its passphrase, is
 * offered: whatever else is the matter has to be mended first. Throws CliError if somebody tried and did not succeed.
 */
export async function offerToUnseal(context: Context, incoming: Incoming, session: Client): Promise<boolean> {
  const reason = readAnswer(incoming)?.problem.reason;
  if (reason !== 'sealed' && reason !== 'needs_passphrase' && reason !== 'wrong_passphrase') return false;
  const { key_stores: keyStores } = await session.status();
  if (!keyStores.includes('passphrase')) return confirmUnsealing(session);
  context.complain('The vault is sealed.');
  const asked = await tryPassphrases(context, (body) => noteWrong(session.unseal(body)));
  if (asked.kind === 'wrong') throw explainWrong();
  return asked.kind === 'answered';
}

async function confirmUnsealing(session: Client): Promise<boolean> {
  const { askText, canType } = await import('../terminal/prompt.ts');
  if (!canType()) return false;
  const answer = (await askText('The vault is sealed. Unseal it now? [Y/n] ')).trim().toLowerCase();
  if (!['', 'y', 'yes'].includes(answer)) return false;
  await session.unseal();
  return true;
}

function readAnswer({ body }: Incoming): { readonly body: object; readonly problem: Problem } | null {
  try {
    const said = JSON.parse(Buffer.from(body).toString());
    const { reason, problem } = said;
    return typeof reason === 'string' && typeof problem === 'string'
      ? { body: said, problem: { reason: reason as Problem['reason'], message: problem } }
      : null;
  } catch {
    return null;
  }
}
