/** Asking before something is lost. */
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';

/**
 * Resolves if it may be done: `--force` was given, or somebody on the terminal said yes (`word`: typed just that).
 * Throws CliError otherwise; without a terminal to ask on, its message names the flag.
 */
export async function confirm(input: Input, question: string, word: string | null = null): Promise<void> {
  if (input.flag('force')) return;
  if (!input.context.canAsk) throw usageError(`${question} Nobody can be asked here; give --force`);
  const { askText } = await import('./prompt.ts');
  const prompt = word === null ? `${question} [y/N] ` : `${question} Type ${word} to go on: `;
  const answer = (await askText(prompt)).trim().toLowerCase();
  if (word === null ? answer === 'y' || answer === 'yes' : answer === word) return;
  throw new CliError(EXIT.failed, 'nothing was done');
}
