/** Says what a problem of the audit log means, and what to do about it. */
import type { AuditProblem, AuditProblemKind } from '../../client/types.ts';

const RESTORE = 'a backup of the file may have it as it was';

const MEANINGS: Readonly<Record<AuditProblemKind, string>> = {
  changed: `this is not what was written: somebody changed the file, or the disk damaged it; do not rely on it, ${RESTORE}`,
  removed: `entries are missing here: somebody took them out; ${RESTORE}`,
  reordered: `entries stand in another order than they were written; ${RESTORE}`,
  duplicated: `entries stand here a second time; go by the first`,
  truncated: `the rest of the file is missing; ${RESTORE}`,
  added: 'this was added behind the end, and not by the vault; disregard it',
  not_anchored:
    'the file does not end as the database knows it: one of the two is older; put both back from one backup',
  foreign: 'this is the file of another segment, or of another vault; put the right one back from a backup',
  missing_file: 'the file is missing; put it back from a backup',
  missing_segment:
    'the database does not know this segment, and the log does not say that it was dropped; put the database and the log back from one backup',
  unknown_file:
    'the database does not know the segment of this file: the file was added, or the database is older; put both back from one backup',
  changed_row:
    'the row of this segment in the database was changed, so the file cannot be verified; put the database back from a backup',
};

/** `audit/00000005.jsonl, lines 13 to 14, from entry 5.7: changed: …` */
export function describeProblem({ segment, entry, line, last_line: last, problem }: AuditProblem): string {
  const place = [
    `audit/${String(segment).padStart(8, '0')}.jsonl`,
    ...(line === null ? [] : [last === undefined ? `line ${line}` : `lines ${line} to ${last}`]),
    ...(entry === null ? [] : [`${last === undefined ? '' : 'from '}entry ${entry}`]),
  ];
  return `${place.join(', ')}: ${problem.replaceAll('_', ' ')}: ${MEANINGS[problem]}`;
}
