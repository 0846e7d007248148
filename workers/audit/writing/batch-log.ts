/** How a thread writes its batches into the audit log. */
import type { OpenVault } from '../../open-vault.ts';

export interface BatchLog {
  /** Whether there is a segment to append to. Throws AuditError. */
  isReady(open: OpenVault): boolean;
  /** Gets a segment. Rejects with AuditError. */
  prepare(open: OpenVault): Promise<void>;
  /** The number in its segment of the entry that is appended next. */
  readonly nextEntry: number;
  /**
   * Writes a batch of lines, each with its newline, that have `entries` entries: when it returns, the kernel has them, and they
   * are synced within a second. Throws AuditError.
   */
  append(lines: string, entries: number): void;
}
