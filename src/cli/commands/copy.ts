/** `mav copy`: a value to the clipboard, for a while. */

import { copySecret } from '../clipboard/copy-secret.ts';
import type { Run } from '../run/command.ts';

export const run: Run = copySecret;
