/** `mav list`: the secrets of one environment or of all, without values. */
import { withVault } from '../access.ts';
import type { Run } from '../command.ts';
import { usageError } from '../failure.ts';
import { printSummaries } from '../summaries.ts';

export const run: Run = async (input) => {
  const { environment, text } = input;
  const [key, value] = [text('metadata-key'), text('metadata-value')];
  if (value !== undefined && key === undefined)
    throw usageError('--metadata-value needs --metadata-key beside it');
  const params = { env: environment, metadata_key: key, metadata_value: value };
  return withVault(input, (client) => printSummaries(input, client, 'secrets.list', params, text('filter')));
};
