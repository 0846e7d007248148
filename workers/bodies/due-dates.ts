/** Due dates of a request: RFC 3339 in the API, whole Unix seconds in the database, `never` for no date. */

/** RFC 3339 section 5.6. A leap second and a day that the month does not have are left to Date. */
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
/** Says that a secret has no such date. */
export const NEVER = 'never';
export const NOT_A_DUE_DATE = 'must be a time such as "2027-01-31T00:00:00Z" (RFC 3339), or "never"';

export const NOT_A_TIME = 'must be a time such as "2027-01-31T00:00:00Z" (RFC 3339)';

/** Returns the time in whole Unix seconds, 0 for `never`, or null if it is not a due date. */
export function parseDueDate(text: string): number | null {
  return text === NEVER ? 0 : parseTime(text);
}

/** Returns the time in whole Unix seconds, or null if it is not one after 1970-01-01T00:00:00Z. */
export function parseTime(text: string): number | null {
  if (!RFC3339.test(text)) return null;
  const seconds = Math.floor(Date.parse(text.toUpperCase()) / 1000);
  // A day such as February 30 is the next month's for Date.
  const isDay = Number(text.slice(8, 10)) <= daysOfMonth(Number(text.slice(0, 4)), Number(text.slice(5, 7)));
  return isDay && seconds > 0 ? seconds : null;
}

function daysOfMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Returns the dates that are given, in Unix seconds, and whether the owner is to be asked, if that is given. */
export function getTerms({ expires_at, rotate_by, confirm }: GivenTerms): {
  readonly expiresAt?: number;
  readonly rotateBy?: number;
  readonly confirm?: number;
} {
  return {
    ...(expires_at === undefined ? {} : { expiresAt: expires_at }),
    ...(rotate_by === undefined ? {} : { rotateBy: rotate_by }),
    ...(confirm === undefined ? {} : { confirm }),
  };
}

export interface GivenTerms {
  readonly expires_at?: number;
  readonly rotate_by?: number;
  readonly confirm?: number;
}
