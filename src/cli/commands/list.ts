/** `mav list`: the secrets of one environment or of all, without values. */

import type { Run } from '../run/command.ts';
import { withVault } from '../vault/access.ts';
import { readListParams } from '../vault/select-summaries.ts';
import { printSummaries } from '../vault/summaries.ts';

export const run: Run = async (input) => {
  // What is wrong with the options is said before a vault is opened.
  readListParams(input);
  return withVault(input, (client) => printSummaries(input, client));
};
