/** Variables as a file that another program reads: the forms that `mav env` and `mav export` have in common. */
import { formatDockerFile } from '../formats/format-docker.ts';
import { describeDiffering, formatDotenvFile } from '../formats/format-dotenv.ts';
import type { Form } from '../run/command.ts';
import type { Variable } from './variables.ts';

export type FileForm = Extract<Form, 'dotenv' | 'docker'>;

/** The file's text; says which values not every reader gets right. Throws CliError for what the form cannot hold. */
export function formatVariables(
  form: FileForm,
  variables: readonly Variable[],
  say: (text: string) => void,
): string {
  if (form === 'docker') return joinLines(formatDockerFile(variables));
  const lines = formatDotenvFile(variables);
  for (const note of describeDiffering(lines)) say(note);
  return joinLines(lines.map(({ text }) => text));
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
