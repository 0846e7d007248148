/** `mav search`: secrets whose name, environment or metadata contain a text. */

import type { Run } from '../run/command.ts';
import { withVault } from '../vault/access.ts';
import { readListParams } from '../vault/select-summaries.ts';
import { printSummaries } from '../vault/summaries.ts';

export const run: Run = async (input) => {
  readListParams(input);
  return withVault(input, (client) => printSummaries(input, client, input.args[0]));
};
