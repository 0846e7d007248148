/** The audit log cannot be written, so nothing is done that would have to stand in it. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
  /** The system's code, such as ENOSPC, or why the log is unusable. */
  readonly code: string;

  constructor(code: string) {
    super(`the audit log cannot be written (${code})`);
    this.code = code;
  }

  /** Whether the database is damaged, so that the log has no segment to write. */
  get isDamage(): boolean {
    return /^SQLITE_(CORRUPT|NOTADB)/.test(this.code);
  }

  /** Of what a system call threw. */
  static from(error: unknown): AuditError {
    if (error instanceof AuditError) return error;
    return new AuditError(String((error as NodeJS.ErrnoException)?.code ?? (error as Error)?.name));
  }
}
