/** `mav seal`: makes the running daemon forget its keys. */
import { withDaemon } from '../access.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../failure.ts';

export const run: Run = async (input) => {
  await withDaemon(input, (client) => client.seal());
  input.context.say('The vault is sealed.');
  return EXIT.done;
};
