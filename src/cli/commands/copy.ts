/** `mav copy`: a value to the clipboard, for a while. */
import type { Run } from '../command.ts';
import { copySecret } from '../copy-secret.ts';

export const run: Run = copySecret;
