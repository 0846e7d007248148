/**
 * Records what a thread's batches did, before their replies leave the thread. If the log cannot be written, the batch fails;
 * where config.json says "best-effort", and while the database is damaged, the entries are counted as lost instead.
 */
import { AuditError } from '../../errors/audit.ts';
import { RequestError } from '../../errors/request-error.ts';
import type { OpenVault } from '../../open-vault.ts';
import type { Vault } from '../../vault.ts';
import { EntryLines } from './audit-entry.ts';
import type { BatchLog } from './batch-log.ts';

/** How often a segment is asked for in a row. Sealing and rotating in between take the one that came. */
const ATTEMPTS = 10;

export class Recorder {
  readonly #log: BatchLog;
  readonly #vault: Vault;
  readonly #isRequired: boolean;
  /** Entries that could not be written since the last that were. */
  #lost = 0;

  constructor(log: BatchLog, vault: Vault) {
    this.#log = log;
    this.#vault = vault;
    this.#isRequired = vault.options.auditRules?.isRequired ?? true;
  }

  /**
   * Calls `work` with the unsealed vault once there is a segment. Nothing is awaited in between, so no other thread can take the
   * keyring away before `work` returns. Rejects with SealedError, UnusableDatabaseError, AuditError, or what `work` throws.
   */
  async run<T>(work: (open: OpenVault) => T): Promise<T> {
    let isHopeless = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const open = await this.#vault.getOpenVault();
      // By a rotation that went on before this did.
      if (open.keyring.isDestroyed) continue;
      if (isHopeless || this.#mayRun(open)) return work(open);
      isHopeless = !(await this.#prepare(open));
    }
    throw new RequestError('busy', 'the key of the vault is replaced again and again; try again');
  }

  #mayRun(open: OpenVault): boolean {
    try {
      return this.#log.isReady(open);
    } catch (error) {
      this.#tolerate(error, 0);
      return true;
    }
  }

  /** Resolves with false if there is no segment to be had, and none is required. */
  async #prepare(open: OpenVault): Promise<boolean> {
    try {
      await this.#log.prepare(open);
      return true;
    } catch (error) {
      this.#tolerate(error, 0);
      return false;
    }
  }

  /** Returns the lines for a batch that is about to run. */
  begin(open: OpenVault): EntryLines {
    // What a batch noted that failed as a whole.
    open.touched.take();
    if (!this.#canWrite(open)) return new EntryLines(1);
    const lines = new EntryLines(this.#log.nextEntry);
    if (this.#lost > 0) lines.addOwn('audit.lost', { count: this.#lost });
    return lines;
  }

  /** Writes the lines of a batch. Throws AuditError, and then no reply of the batch may leave the thread. */
  append(open: OpenVault, lines: EntryLines): void {
    if (lines.count === 0) return;
    const written = this.write(open, lines, () => {
      this.#log.append(lines.text, lines.count);
      return true;
    });
    if (written !== null) this.noteTold();
  }

  /** Runs what writes the lines; null if it could not, and the lines count as lost. Throws AuditError, and what else is thrown. */
  protected write<T>(open: OpenVault, lines: EntryLines, write: () => T): T | null {
    try {
      if (!this.#log.isReady(open)) throw new AuditError('no segment');
      return write();
    } catch (error) {
      this.#tolerate(error, lines.count - lines.ownCount);
      return null;
    }
  }

  /** What the log was to say of itself has been written. Until then each batch says it. */
  protected noteTold(): void {
    this.#lost = 0;
  }

  #canWrite(open: OpenVault): boolean {
    try {
      return this.#log.isReady(open);
    } catch {
      return false;
    }
  }

  /** What a damaged vault still has must be readable, although nothing may be written into its database any more. */
  #tolerate(error: unknown, entries: number): void {
    if (!(error instanceof AuditError)) throw error;
    if (this.#isRequired && !error.isDamage && !this.#vault.isDamaged) throw error;
    this.#lost += entries;
  }
}
