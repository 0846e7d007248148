/** Makes the Failure that crosses the wall of everything that an operation throws. Lets no secret out: see `describeUnforeseen`. */
import { IntegrityError } from './envelope/integrity.ts';
import { MissingSodiumError } from './envelope/sodium.ts';
import { AuditError } from './errors/audit.ts';
import { RequestError } from './errors/request-error.ts';
import { SealedError } from './errors/sealed.ts';
import type { Failure } from './messages.ts';
import { findDamageCode, sqliteCode, UnusableDatabaseError } from './store/unusable.ts';

const DISK_FULL = 'SQLITE_FULL';
/** SQLite's codes for a full file system, a quota, a limit of the file's size, and a file system that became read-only. */
const DISK_REFUSES = /^SQLITE_IOERR_(WRITE|FSYNC|TRUNCATE|DIR_FSYNC|SHMSIZE)$/;

/** SQLite has rolled back the transaction of the batch by itself. `failure` says why. */
export class LostTransactionError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('the transaction is gone');
    this.failure = failure;
  }
}

/** The vault refuses to try. `failure` says why. */
export class RefusedError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('refused');
    this.failure = failure;
  }
}

export function toFailure(error: unknown): Failure {
  if (error instanceof LostTransactionError || error instanceof RefusedError) return error.failure;
  if (error instanceof RequestError) return error.toFailure();
  if (error instanceof IntegrityError) return { ok: false, code: 'integrity', message: error.message };
  if (error instanceof SealedError)
    return { ok: false, code: 'sealed', reason: error.reason, message: error.message };
  if (error instanceof MissingSodiumError)
    return { ok: false, code: 'sealed', reason: 'unsupported', message: error.message };
  if (error instanceof UnusableDatabaseError)
    return { ok: false, code: 'sealed', reason: 'unusable', message: error.message };
  if (error instanceof AuditError) return describeUnaudited(error);
  const code = sqliteCode(error);
  if (code === DISK_FULL || DISK_REFUSES.test(code)) {
    const what = code === DISK_FULL ? 'is full' : 'is full, or takes no writes any more';
    return { ok: false, code: 'disk_full', message: `the disk ${what}; nothing was stored`, detail: code };
  }
  const damage = findDamageCode(error);
  if (damage !== null) return { ok: false, code: 'integrity', message: new IntegrityError().message, damage };
  return {
    ok: false,
    code: 'internal',
    message: 'the vault failed to do this; the log of mav serve says more',
    detail: describeUnforeseen(error, code),
  };
}

const FULL_DISK: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', DISK_FULL]);

function describeUnaudited({ code, message }: AuditError): Failure {
  const isFull = FULL_DISK.has(code) || DISK_REFUSES.test(code);
  const kind = isFull ? 'disk_full' : 'internal';
  return { ok: false, code: kind, reason: 'audit_log', message };
}

/** Returns the kind of an error and where it was thrown. Never its message, which may quote a secret. */
function describeUnforeseen(error: unknown, code: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frame = stack.split('\n').find((line) => line.startsWith('    at '));
  return `${code}${frame === undefined ? '' : ` ${frame.trim()}`}`;
}
