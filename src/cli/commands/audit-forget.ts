/** `mav audit forget SEGMENT`: gives up a file of the audit log that somebody changed. */
import { escapeControls } from '../../text/escape-controls.ts';
import type { Run } from '../run/command.ts';
import { EXIT, usageError } from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken, withVault } from '../vault/access.ts';

export const run: Run = async (input) => {
  const [segment = ''] = input.args;
  if (!/^[1-9][0-9]{0,14}$/.test(segment))
    throw usageError('the segment must be a number, as mav audit verify names it');
  refuseToken(input, 'give up a part of the audit log');
  await confirm(input, `Give up segment ${segment} of the audit log? Its entries are not listed any more.`);
  const { entries, file } = await withVault(input, (client) => client.forgetSegment(segment));
  input.context.say(`Gave up segment ${segment} of the audit log, with ${entries} entries.`);
  if (file !== null)
    input.context.say(escapeControls(`Its file lies in ${file}, for you to look at or remove.`));
  return EXIT.done;
};
