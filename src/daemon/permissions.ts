/** What this process may touch, what it gives up of that once it listens, and which protections hold then. */
import { dirname, join } from 'node:path';
import type { KnownVault } from '../../workers/messages.ts';
import type { Home } from '../home.ts';
import type { Libc } from './libc.ts';
import { NOTIFY_PROGRAMS } from './readiness.ts';
import { buildListeningFilter } from './system-call-filter.ts';

/** In the words of `mav doctor`, each with whether it holds. */
export type Protections = Readonly<Record<string, boolean>>;

/** Of the request thread. The permission for threads stays: one that dies is replaced. */
const GIVEN_UP = ['net', 'child', 'ffi', 'addon', 'wasi', 'inspector'] as const;

/** Files and folders (with what is in them) that the request thread may touch. */
interface Grants {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Of `read`, what it needs only while it starts. */
  readonly atStart: readonly string[];
}

/**
 * The folders of the vault, of its socket and of the session token; `code`: where the program lies. The writer thread
 * is not bound by it, and native code neither: it makes key files, and in the folder of `knownVaultsPath` it writes the
 * list of known vaults when it has made the vault (`--init`) or destroyed it. The launcher has read that list before.
 */
export function planGrants({ directory, socketPath }: Home, env: NodeJS.ProcessEnv, code: string): Grants {
  const runtime = env.XDG_RUNTIME_DIR;
  const own = [directory, dirname(socketPath)];
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

/**
 * Without what lies in another one's folder. Where one begins as another does (`/a/run`, `/a/runner`), Node denies the
 * shorter one itself, and where a path has a `*`, takes it for any: then only all can be granted.
 */
function simplify(paths: readonly string[]): string[] {
  const outer = [...new Set(paths)].filter(
    (path, _index, all) => !all.some((other) => other !== path && isWithin(path, other)),
  );
  return findMistaken(outer) === undefined ? outer : ['*'];
}

/** Of places that do not lie in each other the first that Node does not tell from others. */
function findMistaken(paths: readonly string[]): string | undefined {
  return paths.find(
    (path) => path.includes('*') || paths.some((other) => other !== path && other.startsWith(path)),
  );
}

/** What to tell where Node's permission model limits no files, because of how places are named; else null. */
export function explainOpenFiles({ directory, socketPath }: Home): string | null {
  if (process.permission?.has('fs.write') !== true) return null;
  const place = findMistaken([directory, dirname(socketPath)]);
  return (
    "Node's permission model limits no files, only the kernel does: " +
    (place === undefined
      ? 'the path of one of the daemon’s folders begins as another one’s does, or has a * in it'
      : `${place} has a * in it, or another of the daemon’s folders begins with its name`)
  );
}

/**
 * What a daemon that listens needs no more, the kernel refuses every thread of it. Where the vault's key is in no keychain
 * nothing is asked of other processes either: no thread connects. Answers whether that holds; null where the keychain may
 * be asked, or it is not known.
 */
export function closeListening(libc: Libc | null, known: KnownVault | null): boolean | null {
  const mayConnect = known === null || known.slots.some(({ kind }) => kind === 'keychain');
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

/** As they are now. `cannotConnect`: as closeListening answered. */
export function listProtections(libc: Libc | null, cannotConnect: boolean | null): Protections {
  const permission = process.permission as Permission | undefined;
  const isDenied = (scope: string) => permission?.has(scope) === false;
  return {
    'permission model': permission !== undefined,
    'no inspector': permission !== undefined && !permission.has('inspector'),
    'no child processes': isDenied('child'),
    // Before Node 25 there is no such permission, and it is never had.
    'no network (Node)': process.allowedNodeEnvironmentFlags.has('--allow-net') && isDenied('net'),
    'no network (kernel)': libc?.hasFilter() ?? false,
    'no files outside (Node)': isDenied('fs.write'),
    'no files outside (kernel)': libc?.isFenced() ?? false,
    'no new privileges': libc?.forbidNewPrivileges() ?? false,
    ...(cannotConnect === null ? {} : { 'no connections to others': cannotConnect }),
    'no core dumps': libc?.forbidCores() ?? false,
    'memory closed to the same user': libc?.forbidDumping() ?? false,
    'peers checked': libc !== null,
  };
}
