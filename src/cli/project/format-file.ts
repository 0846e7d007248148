/** The text of a new mav.toml. */
import type { ForeignVariable } from './foreign-files.ts';

const HEAD = `# The secrets that this project needs, by reference and never a value. Commit it; mav exec uses it.
version = 1

[secrets]
`;
const EXAMPLE =
  '# DATABASE_URL = { ref = "PROJECT/database-url", description = "main database", type = "url" }\n';

/** `project`: the name before those of the project's secrets, so that two projects can have one of the same name. */
export function formatProjectFile(project: string, variables: readonly ForeignVariable[]): string {
  if (variables.length === 0) return HEAD + EXAMPLE.replace('PROJECT', () => nameInReference(project));
  return HEAD + variables.map((variable) => `${formatVariable(project, variable)}\n`).join('');
}

function formatVariable(project: string, { name, ...said }: ForeignVariable): string {
  const ref = `${nameInReference(project)}/${name.toLowerCase().replaceAll('_', '-')}`;
  const members = Object.entries({ ref, ...said }).map(
    ([member, value]) => `${member} = ${formatValue(value)}`,
  );
  return `${name} = { ${members.join(', ')} }`;
}

/** JSON's strings are TOML's, but for the one control character that TOML escapes and JSON does not. */
function formatValue(value: string | boolean): string {
  return JSON.stringify(value).replaceAll('\u007f', '\\u007F');
}

/** A folder may have any name; a reference takes these characters as they are. */
function nameInReference(project: string): string {
  return encodeURIComponent(project);
}
