/** `mav status`: whether the vault is served, whether it is sealed, and where its key lies. */
import { withDaemon } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  const { context, home, output } = input;
  const status = await withDaemon(input, (client) => client.status());
  if (output === 'json') context.print(JSON.stringify({ socket: home.socketPath, ...status }));
  else {
    context.print(`socket     ${home.socketPath}`);
    context.print(`state      ${status.sealed ? 'sealed' : 'unsealed'}`);
    context.print(`key store  ${status.key_stores.join(', ')}`);
  }
  return status.sealed ? EXIT.sealed : EXIT.done;
};
