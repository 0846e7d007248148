/** What is wrong with a variable of a project, in a line, with the command that mends it. */
import { quoteWord } from '../formats/shell-quote.ts';
import { formatReference } from '../input/reference.ts';
import type { Input, Reference } from '../run/command.ts';
import type { Resolved } from './resolve-variables.ts';

/** `DATABASE_URL (mav.toml, line 4) is not stored; set it: mav set db --field url`. */
export function describeLacking(input: Input, { variable, source, lacking, why }: Resolved): string {
  const what = `${variable.name} (${variable.place})`;
  if (lacking.length > 0)
    return `${what} is composed of ${lacking.join(', ')}, which ${lacking.length === 1 ? 'has' : 'have'} no value`;
  const problem = why === undefined ? 'is not stored' : why;
  return source === null
    ? `${what} ${problem}`
    : `${what} ${problem}; set it: ${writeSetCommand(input, source)}`;
}

/** A command that stores a value in this place, whatever environment is usual where it is typed. */
export function writeSetCommand(
  { environment: usual }: Input,
  { environment, name, field }: Reference,
): string {
  const isPlain = !name.startsWith('-') && !name.includes('://') && (environment !== '' || !usual);
  if (!isPlain)
    return `mav set ${quoteWord(formatReference({ environment, name, ...(field === undefined ? {} : { field }) }))}`;
  const place = environment === '' ? '' : ` --env ${quoteWord(environment)}`;
  return `mav set ${quoteWord(name)}${place}${field === undefined ? '' : ` --field ${quoteWord(field)}`}`;
}
