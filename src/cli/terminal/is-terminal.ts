/** Whether a descriptor is a terminal. Asks node:tty, which loads net and streams, only about what may be one. */
import { fstatSync, statSync } from 'node:fs';

export function isTerminal(descriptor: number): boolean {
  return mayBeTerminal(descriptor) && process.getBuiltinModule('node:tty').isatty(descriptor);
}

function mayBeTerminal(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && stat.rdev !== statSync('/dev/null').rdev;
  } catch {
    // A system without that device.
    return true;
  }
}
