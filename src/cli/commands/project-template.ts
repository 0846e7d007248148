/** `mav project template`: a `.env.example`, for whoever works without mav. It has the file's own values, and none of the vault's. */
import { formatDotenv } from '../formats/format-dotenv.ts';
import type { Variable } from '../project/load-project.ts';
import { requireProject } from '../project/require-project.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';

export const run: Run = async (input) => {
  const { variables } = requireProject(input);
  if (variables.length > 0) input.context.print(variables.map(formatVariable).join('\n'));
  return EXIT.done;
};

function formatVariable({ name, said }: Variable): string {
  const notes = [said.description, said.type, said.required === false ? 'optional' : undefined];
  const about = notes
    .flatMap((note) => note ?? [])
    .join('; ')
    .replaceAll(/\s+/g, ' ');
  return `${about === '' ? '' : `# ${about}\n`}${formatDotenv(name, said.default ?? '').text}`;
}
