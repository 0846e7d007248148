/** Asks on the terminal for what a request of this very command needs the owner's yes for. Loaded only for such a response. */
import { Client } from '../../client/client.ts';
import type { Incoming, Outgoing, Send } from '../../client/connection.ts';
import { toError } from '../../client/errors.ts';
import { describeApproval } from '../approvals/describe-approval.ts';

const REFUSED = { error: 'you refused it; nothing was read', code: 'not_approved', reason: 'denied' };

/** Returns the response to the request, sent again if the user says yes. `send`: with the session's token. */
export async function askForApproval(
  send: Send,
  token: string,
  outgoing: Outgoing,
  incoming: Incoming,
): Promise<Incoming> {
  const { approval } = toError(incoming);
  if (approval === undefined) return incoming;
  const { askText, canType } = await import('../terminal/prompt.ts');
  if (!canType()) return incoming;
  const session = new Client(send, token);
  const question = [...describeApproval(approval), 'Let it? [y/N] '].join('\n');
  const isYes = ['y', 'yes'].includes((await askText(question)).trim().toLowerCase());
  if (!isYes) {
    await session.deny(approval.id);
    return { ...incoming, body: Buffer.from(JSON.stringify(REFUSED)) };
  }
  await session.approve(approval.id);
  return send({ ...outgoing, headers: { ...outgoing.headers, 'X-Approval': approval.id } });
}
