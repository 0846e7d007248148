/** Handlers of the audit log: list its entries, verify it, and list what a token has read. No value is in the log. */
import { formatEntry } from '../audit/reading/entry.ts';
import { type EntryFilter, filterEntry, findNeedles } from '../audit/reading/filter.ts';
import type { Problem } from '../audit/reading/problems.ts';
import { findPosition, readLog } from '../audit/reading/read-log.ts';
import type { LoggedEntry } from '../audit/reading/read-segment.ts';
import { CollectedReads, type ReadValues } from '../audit/reading/reads.ts';
import { type VerifiedLog, verifyLog } from '../audit/reading/verify-log.ts';
import { type AuditQuery, encodeAuditCursor, getAuditQuery, getTokenId } from '../bodies/audit-parameters.ts';
import type { Handler, Outcome } from '../calls.ts';
import { ALL_ACCESS } from '../entries/access.ts';
import { narrowToAccess } from '../entries/audited.ts';
import { isStillStored } from '../entries/still-stored.ts';
import { RequestError } from '../errors/request-error.ts';
import { MAX_REPLY_SIZE, type ReplyBuffer } from '../json/reply.ts';
import type { ReadableVault } from '../open-vault.ts';

/** The most problems that the reply names. */
const MAX_NAMED = 100;

export const listAudit: Handler<ReadableVault> = (vault, call, reply) => {
  const query = getAuditQuery(call);
  const filter = makeFilter(vault, query);
  let unreadable = 0;
  const { order, since, until, after } = query;
  const onUnreadable = () => {
    unreadable += 1;
  };
  const reading = { order, since, until, after, needles: findNeedles(filter), onUnreadable };
  const found = readLog(vault.audit.listSegments(), reading);
  reply.ascii('{"entries":[');
  const outcome = writePage(found, filter, query.limit, reply);
  reply.ascii(`]${unreadable === 0 ? '' : `,"unreadable":${unreadable}`}}`);
  return outcome;
};

function makeFilter({ access }: ReadableVault, query: AuditQuery): EntryFilter {
  const { name, environment, token, operation } = query;
  const narrow = narrowToAccess(access, name, environment);
  return {
    ...(narrow === undefined ? {} : { narrow }),
    ...(environment === undefined || name !== undefined || access !== ALL_ACCESS
      ? {}
      : { listed: environment }),
    ...(token === undefined ? {} : { token }),
    ...(operation === undefined ? {} : { operation }),
  };
}

/** Writes up to `limit` entries, and fewer if they are large. One more than the page shows whether there is another page. */
function writePage(
  found: Iterable<LoggedEntry>,
  filter: EntryFilter,
  limit: number,
  reply: ReplyBuffer,
): Outcome | undefined {
  const start = reply.length;
  let last: LoggedEntry | null = null;
  let count = 0;
  for (const one of found) {
    const entry = filterEntry(one.entry, filter);
    if (entry === null) continue;
    if (last !== null && (count === limit || reply.length - start > MAX_REPLY_SIZE))
      return { cursor: encodeAuditCursor(findPosition(last)) };
    if (last !== null) reply.ascii(',');
    reply.raw(formatEntry(one.segment, entry));
    last = one;
    count += 1;
  }
  return undefined;
}

export const verifyAudit: Handler<ReadableVault> = (vault, call, reply) => {
  if (call.limits !== undefined)
    throw new RequestError(
      'forbidden',
      'the log is about the whole vault: a token with limits cannot verify it',
    );
  const { segments, entries, problems } = verifyCounted(vault, () => {});
  const status = problems.length === 0 ? 'intact' : 'broken';
  const named = problems.slice(0, MAX_NAMED);
  reply.raw(JSON.stringify({ status, segments, entries, problems: named, problem_count: problems.length }));
  return describeProblems(problems);
};

/** Counts the segments as steps of long work. */
function verifyCounted({ audit, countSteps }: ReadableVault, visit: (bytes: Buffer) => void): VerifiedLog {
  const segments = audit.listSegments();
  return countSteps('reading', segments.length, (step) =>
    verifyLog(audit, segments, (_segment, bytes) => {
      visit(bytes);
      step();
    }),
  );
}

/** Returns a line for the daemon's log. */
function describeProblems(problems: readonly Problem[]): Outcome | undefined {
  const [first] = problems;
  if (first === undefined) return undefined;
  const more = problems.length === 1 ? '' : ` and ${problems.length - 1} more`;
  return { warning: `the audit log was changed: segment ${first.segment}: ${first.problem}${more}` };
}

/** Verifies the log too, because it reads all of it: what somebody took out of the log is missing in the list. */
export const listReads: Handler<ReadableVault> = (vault, call, reply) => {
  const reads = new CollectedReads(getTokenId(call));
  const { problems } = verifyCounted(vault, (bytes) => reads.addSegment(bytes));
  reply.ascii(`{"status":"${problems.length === 0 ? 'intact' : 'broken'}","secrets":[`);
  const shown = reads
    .list()
    .filter(({ field = '', ...name }) => vault.access.allowsSecret(name) && vault.access.allowsField(field));
  for (const [index, read] of shown.entries()) {
    if (index > 0) reply.ascii(',');
    reply.raw(JSON.stringify(describeRead(vault, read)));
  }
  reply.ascii(']}');
  return describeProblems(problems);
};

/** Under the name that the secret has now: that is what is to be rotated. */
function describeRead(vault: ReadableVault, { id, ...read }: ReadValues): object {
  const now = vault.secrets.findById(id);
  const name = now !== null && vault.access.allowsSecret(now) ? now : read;
  const { version, field } = read;
  return {
    ...read,
    ...{ name: name.name, environment: name.environment },
    is_current: isStillStored(vault, { id, version, ...(field === undefined ? {} : { field }) }),
  };
}
