/** `mav project schema`: a JSON Schema of mav.toml, by which editors complete and check it. */
import { formatSchema } from '../project/json-schema.ts';
import type { Run } from '../run/command.ts';
import { EXIT } from '../run/failure.ts';

export const run: Run = async (input) => {
  input.context.printJson(formatSchema());
  return EXIT.done;
};
