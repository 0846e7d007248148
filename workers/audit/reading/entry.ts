/** The lines of a segment, parsed strictly: a line that is not as this program writes it is no entry. */

/** A secret that an operation read or changed, or that was asked for in vain. */
export interface AuditSecret {
  readonly name: string;
  readonly environment: string;
  /** The one that was read, or that a change made; 0 for a purge. Absent where nothing was read or changed. */
  readonly version?: number;
  /** The number of the secret, which it keeps when it is renamed. */
  readonly id?: number;
  /** What left the vault: the secret's own value, and the values of these fields. */
  readonly read?: true;
  readonly value?: true;
  readonly fields?: readonly string[];
  /** What a write did: a Change, `accept` or `purge`. */
  readonly change?: string;
}

export interface AuditEntry {
  /** RFC 3339, UTC, to the millisecond, so times compare as texts do. */
  readonly at: string;
  /** Counts the entries of the segment from 1. */
  readonly seq: number;
  /** The operation's name, or one of the log's own, such as `audit.dropped`. */
  readonly op: string;
  /** `session`, the id of a token, or empty for nobody. */
  readonly by?: string;
  readonly uid?: number;
  readonly pid?: number;
  readonly program?: string;
  readonly purpose?: string;
  /** The id of the request. */
  readonly request?: string;
  /** Whether the owner said yes to it. */
  readonly approved?: true;
  readonly secrets?: readonly AuditSecret[];
  /** `ok`, or the code of the error. */
  readonly result?: string;
  /** The environment that a list was asked for. */
  readonly environment?: string;
  /** The id of the token that was read, made, rotated or revoked. */
  readonly token?: string;
  readonly token_name?: string;
  /** The id of the key slot that it is about. */
  readonly key?: string;
  /** When the backup was made that the vault was restored from, RFC 3339. */
  readonly backup?: string;
  /** The generation of the KEK. */
  readonly generation?: number;
  /** The segment that another entry is about. */
  readonly segment?: number;
  /** `audit.dropped`: the last segment that was dropped, and how many entries went. */
  readonly through?: number;
  readonly entries?: number;
  /** `audit.torn`: how many bytes of a batch were cut off that was not written whole. */
  readonly bytes?: number;
  /** How many events the entry stands for. */
  readonly count?: number;
  /** `keys.rotated`: how many rows could not be wrapped again. */
  readonly damaged?: number;
}

/** The first line of a segment. */
export interface Head {
  readonly vault: string;
  readonly segment: number;
  /** RFC 3339. */
  readonly opened: string;
}

type Check = (value: unknown) => boolean;

const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const isText: Check = (value) => typeof value === 'string';
const isWhole: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTrue: Check = (value) => value === true;

const SECRET_MEMBERS: { readonly [Name in keyof AuditSecret]-?: Check } = {
  name: isText,
  environment: isText,
  version: isWhole,
  id: isWhole,
  read: isTrue,
  value: isTrue,
  fields: (value) => Array.isArray(value) && value.every(isText),
  change: isText,
};

const ENTRY_MEMBERS: { readonly [Name in keyof AuditEntry]-?: Check } = {
  at: (value) => typeof value === 'string' && AT.test(value),
  seq: isWhole,
  op: isText,
  by: isText,
  uid: isWhole,
  pid: isWhole,
  program: isText,
  purpose: isText,
  request: isText,
  approved: isTrue,
  secrets: (value) => Array.isArray(value) && value.every(isSecret),
  result: isText,
  environment: isText,
  token: isText,
  token_name: isText,
  key: isText,
  backup: isText,
  generation: isWhole,
  segment: isWhole,
  through: isWhole,
  entries: isWhole,
  bytes: isWhole,
  count: isWhole,
  damaged: isWhole,
};
const ENTRY_CHECKS = Object.entries(ENTRY_MEMBERS);
const SECRET_CHECKS = Object.entries(SECRET_MEMBERS);

function isSecret(value: unknown): boolean {
  return isObject(value) && 'name' in value && 'environment' in value && hasMembers(value, SECRET_CHECKS);
}

/** Members that are not known are passed over: a later version may write more. */
function hasMembers(value: object, checks: readonly (readonly [string, Check])[]): boolean {
  const members = value as Readonly<Record<string, unknown>>;
  return checks.every(([name, check]) => !Object.hasOwn(members, name) || check(members[name]));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns null for a line, given without its newline, that is no entry. */
export function parseEntry(line: string): AuditEntry | null {
  const value = parseJson(line);
  if (!isObject(value) || !hasMembers(value, ENTRY_CHECKS)) return null;
  return 'at' in value && 'seq' in value && 'op' in value ? (value as AuditEntry) : null;
}

/** Members of an answer, in this order, and no others. */
const SHOWN = [
  ...[
    'id',
    'at',
    'op',
    'by',
    'uid',
    'pid',
    'program',
    'purpose',
    'request',
    'approved',
    'result',
    'secrets',
    'name',
    'environment',
  ],
  ...[
    'version',
    'read',
    'value',
    'fields',
    'change',
    'token',
    'token_name',
    'key',
    'backup',
    'generation',
    'segment',
    'through',
  ],
  ...['entries', 'bytes', 'count', 'damaged'],
];

/** Returns an entry as JSON, as the API shows it: its id is `segment.seq`. */
export function formatEntry(segment: number, { seq, ...entry }: AuditEntry): string {
  return JSON.stringify({ ...entry, id: `${segment}.${seq}` }, SHOWN);
}

/** Returns null for a line that is not the head of a segment in a format that is known. */
export function parseHead(line: string): Head | null {
  const value = parseJson(line);
  if (!isObject(value)) return null;
  const { audit, vault, segment, opened } = value as Readonly<Record<string, unknown>>;
  if (audit !== 1 || typeof vault !== 'string' || !isWhole(segment) || typeof opened !== 'string')
    return null;
  return { vault, segment: Number(segment), opened };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
