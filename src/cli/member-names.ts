/** What the API's members and parameters are called on the command line. */
import type { Command } from './command.ts';

/** Those that have another name than their option. */
const OPTIONS: Readonly<Record<string, string>> = {
  environment: 'env',
  expires_in: 'expires',
  scopes: 'scope',
};
/** Those that are arguments. */
const ARGUMENTS: Readonly<Record<string, string>> = { name: 'NAME', q: 'QUERY', id: 'ID' };

/** The message with the option or argument in the place of the member; as it is where the command has neither. */
export function nameOption(command: Command, member: string, message: string): string {
  const names = [member, ...(member === 'metadata_value' ? ['metadata_key'] : [])];
  return names.reduce((text, name) => {
    const called = findCalled(command, name);
    return called === null ? text : replaceName(text, name, called);
  }, message);
}

function findCalled({ options, arguments: takes = '' }: Command, member: string): string | null {
  const option = OPTIONS[member] ?? member.replaceAll('_', '-');
  if (Object.hasOwn(options, option)) return `--${option}`;
  return takes === '' ? null : (ARGUMENTS[member] ?? null);
}

/** Members stand in quotes, parameters without. */
function replaceName(text: string, name: string, called: string): string {
  const quoted = JSON.stringify(name);
  if (text.includes(quoted)) return text.replaceAll(quoted, called);
  return text.replace(new RegExp(`\\b${name}\\b`), called);
}
