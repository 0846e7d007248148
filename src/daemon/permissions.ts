/** What this process may touch, what it gives up of that once it listens, and which protections hold then. */
import { dirname, join } from 'node:path';
import type { KnownVault } from '../../workers/messages.ts';
import type { Home } from '../places/home.ts';
import type { Protections } from '../places/owner.ts';
import type { Libc } from './libc.ts';
import { NOTIFY_PROGRAMS } from './readiness.ts';
import { buildListeningFilter } from './system-call-filter.ts';

/** Of the request thread. The permission for threads stays: one that dies is replaced. */
const GIVEN_UP = ['net', 'child', 'ffi', 'addon', 'wasi', 'inspector'] as const;

/** Files and folders (with what is in them) that the request thread may touch; with a `*` at its end, all that begin so. */
interface Grants {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Of `read`, what it needs only while it starts. */
  readonly atStart: readonly string[];
}

/**
 * The folders of the vault, of its socket and of the session token; `code`: where the program lies; `toMake`: folders that
 * are made for the vault's. The writer thread is not bound by it, and native code neither: it makes key files, and in the
 * folder of `knownVaultsPath` it writes the list of known vaults when it has made the vault (`--init`) or destroyed it.
 * The launcher has read that list before.
 */
export function planGrants(
  { directory, socketPath }: Home,
  env: NodeJS.ProcessEnv,
  code: string,
  toMake: readonly string[] = [],
): Grants {
  const runtime = env.XDG_RUNTIME_DIR;
  const own = [directory, dirname(socketPath), ...toMake];
  const atStart = [
    '/proc/self/net/unix',
    '/proc/self/limits',
    ...NOTIFY_PROGRAMS,
    ...(runtime ? [runtime] : []),
  ];
  const read = simplify([code, ...own, ...atStart]);
  return {
    read,
    write: simplify([...own, ...(runtime ? [join(runtime, 'maestrovault')] : [])]),
    atStart: atStart.filter((path) => read.includes(path) && !own.some((place) => isWithin(place, path))),
  };
}

const ANY = '*';

/**
 * Without what lies in another one's folder. Where one begins as another does (`/a/run`, `/a/runner`), Node denies the
 * shorter one itself, and from the first `*` of a path on it takes all for granted. Then all is granted that begins as the
 * shorter one does, or as the path up to its `*`: that is what Node can be told, and `explainWidened` says it.
 */
function simplify(paths: readonly string[]): string[] {
  const granted = new Map<string, boolean>();
  const shortestFirst = [...paths].sort((one, other) => toPrefix(one).length - toPrefix(other).length);
  for (const path of shortestFirst) {
    const prefix = toPrefix(path);
    const outer = [...granted.keys()].find((other) => prefix.startsWith(other));
    if (outer === undefined) granted.set(prefix, prefix !== path);
    else if (prefix !== path || !isWithin(path, outer)) granted.set(outer, true);
  }
  return [...granted].map(([prefix, isWide]) => (isWide ? prefix + ANY : prefix));
}

/** What stands before the first `*`. */
function toPrefix(path: string): string {
  return path.split(ANY, 1)[0] ?? '';
}

/** Of grants, whether one holds for this path or for all that begin as it does. */
export function isGranted(grants: readonly string[], path: string): boolean {
  return grants.some((grant) => grant === path || (grant.endsWith(ANY) && path.startsWith(toPrefix(grant))));
}

/**
 * What to tell where Node's permission model lets the request thread reach more than was meant, because of how places are
 * named, and what to do about it; null where it does not.
 */
export function explainWidened(): string | null {
  const written = listWidened('write');
  const readOnly = listWidened('read').filter((grant) => !written.includes(grant));
  if (written.length + readOnly.length === 0) return null;
  const what = [
    ...(written.length === 0 ? [] : [`read and write ${written.join(', ')}`]),
    ...(readOnly.length === 0 ? [] : [`read ${readOnly.join(', ')}`]),
  ];
  return (
    `Node's permission model lets the daemon ${what.join(' and ')}: one of its folders has a * in its path, or begins ` +
    "with another one's name; move that one (MAV_HOME, --socket)"
  );
}

/**
 * The same of Landlock: where the vault or its socket lies in the user's home itself, or above, the folder that it has to be
 * given has all of the user's files in it. Asked of the kernel; null where the home is closed, or there is no Landlock.
 */
export function explainOpenHome(libc: Libc | null, { HOME: user }: NodeJS.ProcessEnv): string | null {
  if (libc === null || !user || !libc.isFenced() || !libc.canOpen(user)) return null;
  return (
    `the kernel lets the daemon reach all of ${user}: the vault, its socket or a folder of its settings lies there without ` +
    'a folder of its own; move that one (MAV_HOME, --socket)'
  );
}

/** Grants of this process that end in a `*` which stands for more than the contents of a folder; read back from Node. */
function listWidened(kind: 'read' | 'write'): string[] {
  const permission = process.permission as Permission | undefined;
  const flag = `--allow-fs-${kind}=`;
  const granted = process.execArgv
    .filter((word) => word.startsWith(flag))
    .map((word) => word.slice(flag.length));
  return granted.filter(
    (grant) =>
      grant.endsWith(ANY) &&
      !granted.includes(dirname(grant)) &&
      // A name that no place of ours has.
      permission?.has(`fs.${kind}`, `${toPrefix(grant)}~`) === true,
  );
}

/**
 * What a daemon that listens needs no more, the kernel refuses every thread of it. Where the vault's key is in no keychain
 * nothing is asked of other processes either: no thread connects. A vault that is not known is not opened, so its key is
 * asked for nowhere. Answers whether that holds; null where the keychain may be asked.
 */
export function closeListening(libc: Libc | null, known: KnownVault | null): boolean | null {
  const mayConnect = known?.slots.some(({ kind }) => kind === 'keychain') === true;
  const filter = buildListeningFilter(mayConnect);
  const isOn = process.permission !== undefined && filter !== null && libc?.filterAllThreads(filter) === true;
  return mayConnect ? null : isOn;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

type Permission = {
  has(scope: string, reference?: string): boolean;
  drop?(scope: string, reference?: string): void;
};

/** `atStart`: as it was granted. */
export function givePermissionsUp(atStart: readonly string[]): void {
  const permission = process.permission as Permission | undefined;
  if (permission?.drop === undefined) return;
  for (const scope of GIVEN_UP) permission.drop(scope);
  for (const path of atStart) permission.drop('fs.read', path);
}

/** Before any thread starts. */
export function closeProcess(libc: Libc | null): void {
  libc?.forbidCores();
  libc?.forbidDumping();
  // With the inspector away its signal would end the process.
  if (process.permission !== undefined && process.platform !== 'win32') process.on('SIGUSR1', () => {});
}

/**
 * As they are now. `cannotConnect`: as closeListening answered; `isWidened`, `isHomeOpen`: whether explainWidened and
 * explainOpenHome said anything.
 */
export function listProtections(
  libc: Libc | null,
  cannotConnect: boolean | null,
  { isWidened, isHomeOpen }: { readonly isWidened: boolean; readonly isHomeOpen: boolean },
): Protections {
  const permission = process.permission as Permission | undefined;
  const isDenied = (scope: string) => permission?.has(scope) === false;
  return {
    'permission model': permission !== undefined,
    'no inspector': permission !== undefined && !permission.has('inspector'),
    'no child processes': isDenied('child'),
    // Before Node 25 there is no such permission, and it is never had.
    'no network (Node)': process.allowedNodeEnvironmentFlags.has('--allow-net') && isDenied('net'),
    'no network (kernel)': libc?.hasFilter() ?? false,
    'no files outside (Node)': isDenied('fs.write') && isDenied('fs.read') && !isWidened,
    'no files outside (kernel)': libc?.isFenced() ?? false,
    ...(isHomeOpen ? { 'your home closed (kernel)': false } : {}),
    'no new privileges': libc?.forbidNewPrivileges() ?? false,
    ...(cannotConnect === null ? {} : { 'no connections to others': cannotConnect }),
    'no core dumps': libc?.forbidCores() ?? false,
    'memory closed to the same user': libc?.forbidDumping() ?? false,
    'peers checked': libc !== null,
  };
}
