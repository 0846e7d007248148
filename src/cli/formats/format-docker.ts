/**
 * Variables as `docker --env-file` and `kubectl create --from-env-file` read them: `NAME=value`, the value as it is,
 * to the end of the line. There are no quotes and no escapes, so not every value can be written.
 */
import { CliError, EXIT } from '../run/failure.ts';

/** Bytes of a line without its end. Docker refuses a longer one; kubectl leaves out that line and all after it. */
const MAX_LINE_SIZE = 65_535;

/** The lines, each without its end. Throws CliError, which names the variables that cannot be written. */
export function formatDockerFile(variables: readonly Readonly<Record<'name' | 'value', string>>[]): string[] {
  const broken = variables.filter(({ value }) => /[\r\n]/.test(value));
  if (broken.length > 0) throw refuseVariables(broken, 'a line break');
  const long = variables.filter(({ name, value }) => Buffer.byteLength(`${name}=${value}`) > MAX_LINE_SIZE);
  if (long.length > 0) throw refuseVariables(long, 'more than 64 KiB');
  return variables.map(({ name, value }) => `${name}=${value}`);
}

function refuseVariables(variables: readonly Readonly<Record<'name', string>>[], what: string): CliError {
  const names = variables.map(({ name }) => name).join(', ');
  return new CliError(
    EXIT.failed,
    `docker and kubectl can read no value with ${what}: ${names}; write the others by --only, or use -o dotenv`,
  );
}
