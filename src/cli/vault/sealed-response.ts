/**
 * Handles a response that says the vault is sealed. On a terminal the user may unseal it, and the request is sent again; else
 * the response gets a remedy that works for this command. Loaded only for such a response.
 */
import type { Client } from '../../client/client.ts';
import type { Incoming } from '../../client/connection.ts';
import { adviseOn, type Problem } from '../../remedies.ts';
import { describeTyping, explainWrong, noteWrong, tryPassphrases } from '../input/passphrase.ts';
import type { Context } from '../run/context.ts';
import { chooseReader, type Told } from './remedy-readers.ts';

/** Returns the response with a remedy that this command can follow. A response without a reason stays as it is. */
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
 * Returns whether the user unsealed the vault on the terminal. It is offered if the vault is sealed or needs a passphrase;
 * other obstacles must be removed first. Throws CliError if the user tried and did not succeed.
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
