/** `mav approve ID`: lets a request have what it asks for. */

import type { Run } from '../run/command.ts';
import { decide } from '../vault/decide-approval.ts';

export const run: Run = (input) => decide(input, 'approve');
