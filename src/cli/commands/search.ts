/** `mav search`: secrets whose name, environment or metadata contain a text. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { printSummaries } from '../summaries.ts';

export const run: Run = async (input) => {
  const [query] = input.args;
  return withVault(input, (client) => printSummaries(input, client, 'secrets.search', { q: query }));
};
