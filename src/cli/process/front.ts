/** The shell script that is installed as `mav` and becomes this program (mav.sh). The build puts it above the program's folder. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `program`: the file that Node was started with. Throws what realpath(3) fails with. */
export function locateFront(program: string): string {
  return join(dirname(dirname(realpathSync(program))), 'mav');
}
