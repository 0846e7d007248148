/** What this process may reach, which permissions it gives up once it listens, and which protections hold then. */
import { dirname, join } from 'node:path';
import type { KnownVault } from '../../workers/messages.ts';
import type { Home } from '../places/home.ts';
import type { Protections } from '../places/owner.ts';
import type { Libc } from './libc.ts';
import { NOTIFY_PROGRAMS } from './readiness.ts';
import { buildListeningFilter } from './system-call-filter.ts';

/** Permissions of the request thread. The one for threads is kept, because a thread that dies is replaced. */
const GIVEN_UP = ['net', 'child', 'ffi', 'addon', 'wasi', 'inspector'] as const;

/** Paths that the request thread may reach, folders with everything in them; with a `*` at the end, all that begin so. */
interface Grants {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** The part of `read` that is needed only during the start. */
  readonly atStart: readonly string[];
}

/**
 * Grants the folders of the vault, of its socket and of the session token. `code`: where the program lies; `toMake`: folders
 * that are made around the vault's. Neither the writer thread nor native code is bound by these grants: the writer makes key
 * files, and writes the list of known vaults when it has made the vault (`--init`) or destroyed it. The launcher has read
 * that list before.
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
 * Leaves out paths that lie in another granted folder. Node has two limits here. Where one path begins as another does
 * (`/a/run`, `/a/runner`), Node denies the shorter one. And from the first `*` of a path on, Node grants everything. So all
 * paths are granted that begin as the shorter one does, or as the path up to its `*`; `explainWidened` reports that.
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

/** Returns the part before the first `*`. */
function toPrefix(path: string): string {
  return path.split(ANY, 1)[0] ?? '';
}

/** Returns whether a grant holds for this path or for all that begin as it does. */
export function isGranted(grants: readonly string[], path: string): boolean {
  return grants.some((grant) => grant === path || (grant.endsWith(ANY) && path.startsWith(toPrefix(grant))));
}

/**
 * Returns a warning, with a remedy, where Node's permission model lets the request thread reach more than was meant, because
 * of how places are named; null where it does not.
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
 * Returns a warning where Landlock lets the process reach the whole home: if the vault or its socket lies directly in the
 * user's home or above it, the granted folder has all of the user's files in it. Asks the kernel. Returns null where the home
 * is closed, or there is no Landlock.
 */
export function explainOpenHome(libc: Libc | null, { HOME: user }: NodeJS.ProcessEnv): string | null {
  if (libc === null || !user || !libc.isFenced() || !libc.canOpen(user)) return null;
  return (
    `the kernel lets the daemon reach all of ${user}: the vault, its socket or a folder of its settings lies there without ` +
    'a folder of its own; move that one (MAV_HOME, --socket)'
  );
}

/** Returns this process's grants that end in a `*` for more than the contents of a folder, as read back from Node. */
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
      // A name that no granted path has.
      permission?.has(`fs.${kind}`, `${toPrefix(grant)}~`) === true,
  );
}

/**
 * Has the kernel refuse to every thread the calls that a listening daemon no longer needs. No thread may connect either,
 * unless the vault's key is in a keychain; a vault that is not known is not opened, so its key is asked for nowhere. Returns
 * whether connecting is refused; null where the keychain may be asked.
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

/** Gives up what only the start needed. `atStart`: the paths as they were granted. */
export function givePermissionsUp(atStart: readonly string[]): void {
  const permission = process.permission as Permission | undefined;
  if (permission?.drop === undefined) return;
  for (const scope of GIVEN_UP) permission.drop(scope);
  for (const path of atStart) permission.drop('fs.read', path);
}

/** Called before any thread starts. */
export function closeProcess(libc: Libc | null): void {
  libc?.forbidCores();
  libc?.forbidDumping();
  // Without the inspector, its signal would end the process.
  if (process.permission !== undefined && process.platform !== 'win32') process.on('SIGUSR1', () => {});
}

/**
 * Returns the protections that hold now. `cannotConnect`: what closeListening returned; `isWidened`, `isHomeOpen`: whether
 * explainWidened and explainOpenHome returned a warning.
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
    // Before Node 25 there is no such permission, and `has` always returns false.
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
