/** `mav envs`: the environments, and how many secrets each of them holds. */
import type { SecretSummary } from '../../client/types.ts';
import { showEnvironment } from '../formats/describe-secret.ts';
import type { Input, Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';

interface EnvironmentSize {
  /** Empty: the default one. */
  readonly environment: string;
  readonly secret_count: number;
}

export const run: Run = async (input) => {
  const { body } = await withVault(input, (client) => client.request('secrets.list', { params: {} }));
  const sizes = countByEnvironment(JSON.parse(Buffer.from(body).toString()));
  await printSizes(input, sizes);
  return EXIT.done;
};

/** The default one first, then in the order of their characters. */
function countByEnvironment(secrets: readonly SecretSummary[]): EnvironmentSize[] {
  const counts = new Map<string, number>();
  for (const { environment } of secrets) counts.set(environment, (counts.get(environment) ?? 0) + 1);
  const names = [...counts.keys()].sort();
  return names.map((environment) => ({ environment, secret_count: counts.get(environment) ?? 0 }));
}

async function printSizes({ context, output }: Input, sizes: readonly EnvironmentSize[]): Promise<void> {
  if (output === 'json') return context.printJson(JSON.stringify(sizes));
  if (output === 'table') {
    if (sizes.length === 0) return context.say('There are no secrets yet; store one: mav set NAME');
    const { printTable } = await import('../formats/table.ts');
    const rows = sizes.map(({ environment, secret_count: count }) => [
      showEnvironment(environment),
      String(count),
    ]);
    return printTable(context, [{ head: 'ENVIRONMENT' }, { head: 'SECRETS', isWhole: true }], rows);
  }
  const { printPlain } = await import('../formats/plain-lines.ts');
  const rows = sizes.map(({ environment, secret_count: count }) =>
    output === 'names' ? [environment] : [environment, String(count)],
  );
  return printPlain(context, rows);
}
