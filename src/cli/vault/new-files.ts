/** Removes what an abandoned `mav init` would leave behind. What was there before stays. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Home } from '../../places/home.ts';

/** The end of the name that the vault's thread gives a database that is not complete: the id of the vault, which a key file has too. */
const DRAFT = /^\.new-([0-9a-f]{32})(?:-wal|-shm|-journal)?$/;

export class NewFiles {
  readonly #home: Home;
  /** Folders that are made with the vault, each before those that it lies in. */
  readonly #folders: readonly string[];

  /** Must be called before anything is created. */
  constructor(home: Home) {
    this.#home = home;
    this.#folders = [...listMissing(home.directory), ...listMissing(home.keyDirectory)];
  }

  /** Does nothing once the vault is complete. `hasKeyFile`: it was to have one; at `keyFile`, if that was given. */
  remove(hasKeyFile: boolean, keyFile: string | undefined): void {
    const { directory, databasePath, keyDirectory, lockPath, ownerPath } = this.#home;
    if (existsSync(databasePath)) return;
    for (const [draft, id] of listDrafts(databasePath)) {
      rmSync(join(directory, draft), { force: true });
      // The key is written after the draft, and never over a file that is there.
      if (hasKeyFile)
        rmSync(keyFile === undefined ? join(keyDirectory, `${id}.key`) : resolve(keyFile), { force: true });
    }
    if (this.#folders.includes(directory))
      for (const path of [ownerPath, lockPath, `${lockPath}-journal`]) rmSync(path, { force: true });
    for (const folder of this.#folders) removeIfEmpty(folder);
  }
}

function listMissing(path: string): string[] {
  return isMissing(path) ? [path, ...listMissing(dirname(path))] : [];
}

/** False where the daemon's process may not look; then nothing is removed there. */
function isMissing(path: string): boolean {
  try {
    return !existsSync(path);
  } catch {
    return false;
  }
}

function listDrafts(databasePath: string): [name: string, id: string][] {
  const [directory, database] = [dirname(databasePath), basename(databasePath)];
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const id = name.startsWith(database) ? DRAFT.exec(name.slice(database.length))?.[1] : undefined;
    return id === undefined ? [] : [[name, id] satisfies [string, string]];
  });
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something else is in it, or it was never made.
  }
}
