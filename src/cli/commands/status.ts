/** `mav status`: whether the vault is served, whether it is sealed, and where its key lies. */
import { withDaemon } from '../access.ts';
import type { Run } from '../command.ts';
import { homeOf, outputForm } from '../context.ts';
import { EXIT } from '../failure.ts';

interface Status {
  readonly sealed: boolean;
  readonly vault_id: string;
  readonly key_stores: readonly string[];
  readonly kek_generation: number;
}

export const run: Run = async (input) => {
  const { context, text } = input;
  const form = outputForm(context, text('output'));
  const status = (await withDaemon(input, (ask) => ask('GET', '/v1/status'))) as Status;
  const socket = homeOf(context, text('socket')).socketPath;
  if (form === 'json') context.print(JSON.stringify({ socket, ...status }));
  else {
    context.print(`socket     ${socket}`);
    context.print(`state      ${status.sealed ? 'sealed' : 'unsealed'}`);
    context.print(`key store  ${status.key_stores.join(', ')}`);
  }
  return status.sealed ? EXIT.sealed : EXIT.done;
};
