/** An entry of a file that is imported, whatever the file's format. */
import type { Input } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

export interface SourceEntry {
  /** The entry's JSON as the API takes it. */
  readonly json: string;
  /** The line of the file in which it begins. */
  readonly line: number;
}

/** Members that an entry of an export has, and that the vault finds for itself. */
export const FOUND_BY_VAULT: readonly string[] = [
  'field_count',
  'created_at',
  'updated_at',
  'written_by',
  'accepted',
  'unaccepted_fields',
  'version',
];

/** Says that an empty value is left out. Throws CliError unless that was asked for. */
export function checkEmpty({ context, flag }: Input, what: string): void {
  if (!flag('skip-empty'))
    throw usageError(`${what} is empty, which a vault cannot hold; --skip-empty leaves it out`);
  context.say(`Left out: ${what} is empty.`);
}

/** Returns the entry's environment as JSON. `own`: what the file says, as JSON. Throws CliError if --env contradicts it. */
export function chooseEnvironment({ environment, text }: Input, own: string | null): string {
  if (own === null) return JSON.stringify(environment ?? '');
  const given = text('env');
  if (given !== undefined && JSON.parse(own) !== given)
    throw usageError('the file says itself which environment each secret is in; leave --env out');
  return own;
}
