/** Syncs the files of the audit log within a second of a write. While nothing is written, it does nothing. */
import { fdatasync } from 'node:fs';

/** Delay of a sync after the first write that it is for. */
const DELAY_MS = 500;

export interface SyncedFile {
  readonly descriptor: number;
  /** One 32-bit word. Who writes sets it to 1. It is cleared before the sync. */
  readonly dirty: Int32Array;
  /** Bytes that the file has now. */
  readonly size?: () => number;
  /** Takes the size of which all is synced. */
  readonly noteSynced?: (size: number) => void;
}

export class Syncing {
  readonly #files = new Set<SyncedFile>();
  #timer: NodeJS.Timeout | null = null;
  /** The system's code of the last sync that failed; null after one that did not. */
  failure: string | null = null;

  add(file: SyncedFile): void {
    this.#files.add(file);
  }

  /** Call it before the descriptor is closed. */
  remove(file: SyncedFile): void {
    this.#files.delete(file);
  }

  /** Some file is dirty. */
  schedule(): void {
    this.#timer ??= setTimeout(() => this.#syncAll(), DELAY_MS).unref();
  }

  #syncAll(): void {
    this.#timer = null;
    for (const file of this.#files) if (Atomics.exchange(file.dirty, 0, 0) === 1) this.#sync(file);
  }

  #sync(file: SyncedFile): void {
    const size = file.size?.() ?? 0;
    fdatasync(file.descriptor, (error) => {
      // Closed meanwhile, after a sync of its own.
      if (!this.#files.has(file)) return;
      this.failure = error?.code ?? (error === null ? null : error.name);
      if (error === null) return file.noteSynced?.(size);
      Atomics.store(file.dirty, 0, 1);
      this.schedule();
    });
  }
}
