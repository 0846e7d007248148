/** Where a project's file is: in the folder that the user is in, or above it. Small, because every `mav exec` asks. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const PROJECT_FILE = 'mav.toml';
/** On top of the other, and not committed. */
export const LOCAL_FILE = 'mav.local.toml';

/** Returns the files of the nearest folder that has one, the local one first; none if no folder up to `/` has. */
export function findNearestFiles(folder: string): string[] {
  for (let at = folder; ; at = dirname(at)) {
    const found = [LOCAL_FILE, PROJECT_FILE].map((name) => join(at, name)).filter((path) => existsSync(path));
    if (found.length > 0 || at === dirname(at)) return found;
  }
}
