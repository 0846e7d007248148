/** `mav search`: secrets whose name, environment or metadata contain a text. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { readListParams } from '../select-summaries.ts';
import { printSummaries } from '../summaries.ts';

export const run: Run = async (input) => {
  readListParams(input);
  return withVault(input, (client) => printSummaries(input, client, input.args[0]));
};
