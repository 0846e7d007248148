/** A Send of the owner's own session that asks on the terminal for what the owner has to approve. */
import type { Send } from '../../client/connection.ts';
import type { Context } from '../run/context.ts';

const FORBIDDEN = 403;

/** Without a terminal the daemon is left to wait for the owner's answer from elsewhere (`mav approvals`). */
export function askingSend(send: Send, token: string, { canAskPassphrase }: Context): Send {
  if (!canAskPassphrase) return send;
  // Of several requests under way one after the other asks.
  let last: Promise<unknown> = Promise.resolve();
  return async (given) => {
    const outgoing = { ...given, headers: { ...given.headers, 'X-Approval': 'ask' } };
    const incoming = await send(outgoing);
    if (incoming.status !== FORBIDDEN) return incoming;
    const { askForApproval } = await import('./approval-response.ts');
    const asked = last.then(() => askForApproval(send, token, outgoing, incoming));
    last = asked.catch(() => {});
    return asked;
  };
}
