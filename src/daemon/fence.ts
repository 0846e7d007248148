/**
 * Plans which files the daemon's process and all that it starts may reach under Landlock. The launcher plans it: afterwards
 * the process may no longer look into the user's files.
 */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Home } from '../places/home.ts';
import { listMissing, makeFolders } from '../places/make-folders.ts';
import { isPrivateFolder } from '../places/session-token.ts';
import type { Fence } from './landlock.ts';

/** Files outside of the vault's folder that `mav serve` was given. */
export interface GivenFiles {
  readonly passphraseFile: string | undefined;
  /** Where the key files of the known vault lie. Not read from vault.db, whose writer could choose a folder to open. */
  readonly known: readonly string[];
  /** Where a new vault gets its key file; undefined: the default place. */
  readonly keyFile: string | undefined;
}

/** Programs and libraries of the system; the last three are where other systems than Debian's keep them. */
const SYSTEM = [
  '/usr',
  '/lib',
  '/lib64',
  '/lib32',
  '/bin',
  '/nix/store',
  '/gnu/store',
  '/run/current-system',
];
/** What libraries read: names of users, time, how to link, how TLS is set up, whose bus it is. */
const SETTINGS = [
  ...['ld.so.cache', 'ld.so.preload', 'passwd', 'group', 'nsswitch.conf', 'localtime', 'timezone'],
  ...['locale.alias', 'locale.conf', 'machine-id', 'ssl/openssl.cnf', 'alternatives', 'static'],
].map((name) => `/etc/${name}`);
const MACHINE = [
  ...['/var/lib/dbus/machine-id', '/sys/fs/cgroup', '/sys/devices/system/cpu', '/sys/kernel/mm'],
  ...['/proc/meminfo', '/proc/cpuinfo', '/proc/stat', '/proc/loadavg', '/proc/version', '/proc/sys/vm'],
];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/urandom', '/dev/random', '/dev/tty'];
const STANDARD_STREAMS = [0, 1, 2];

/** `code`: where the program lies. Makes folders that the daemon would make, in others that it may not write. */
export function planFence(home: Home, env: NodeJS.ProcessEnv, code: string, given: GivenFiles): Fence {
  const { XDG_RUNTIME_DIR: runtime, CREDENTIALS_DIRECTORY: credentials, HOME: user } = env;
  const session =
    runtime && isAbsolute(runtime) && isPrivateFolder(runtime) ? [join(runtime, 'maestrovault')] : [];
  const isNew = !isThere(home.databasePath);
  // Key files go into the last two by themselves, and the list of known vaults.
  const own = [home.directory, home.keyDirectory, dirname(home.knownVaultsPath)].filter(isAbsolute);
  for (const path of [...session, ...own]) makePrivate(path);
  const keyFiles = isNew ? [given.keyFile] : given.known;
  return {
    read: [
      ...SETTINGS,
      ...MACHINE,
      // Names this very process, which execve does not change.
      `/proc/${process.pid}`,
      ...(credentials ? [credentials] : []),
      ...openFolder(given.passphraseFile, user),
    ],
    unlisted: chooseUnlisted(),
    run: [code, process.execPath, ...SYSTEM, ...findLibraries()],
    write: [
      ...own,
      dirname(home.socketPath),
      ...session,
      // The key files', which writing, destroying and putting them back changes.
      ...keyFiles.flatMap((path) => openFolder(path, user)),
    ],
    devices: [...DEVICES, ...findTerminals()],
    needsAbstractSockets: [env.DBUS_SESSION_BUS_ADDRESS, env.NOTIFY_SOCKET].some((address) =>
      /^@|abstract=/.test(address ?? ''),
    ),
  };
}

/**
 * /proc, so that the daemon can name the programs that ask it. Beside a name the kernel shows a process's state and command
 * line, but to root also its environment and where its memory lies. So a daemon of root's does without.
 */
function chooseUnlisted(): string[] {
  return process.geteuid?.() === 0 ? [] : ['/proc'];
}

/**
 * The folder that a file lies in, for the file may be replaced. One that the user's home lies in, or is, would open all of
 * the user's files: then the file alone, as it is now.
 */
function openFolder(file: string | undefined, user: string | undefined): string[] {
  if (!file) return [];
  const path = resolve(file);
  const folder = real(dirname(path));
  return user !== undefined && `${real(user)}/`.startsWith(folder === '/' ? folder : `${folder}/`)
    ? [path]
    : [folder];
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Private; only a folder that is there can be told to the kernel. */
function makePrivate(path: string): void {
  try {
    makeFolders(path, 0o700);
  } catch {
    // The daemon says so.
  }
}

function isThere(path: string): boolean {
  return listMissing(path).length === 0;
}

/** Where the libraries lie that Node was linked with, wherever it was installed. */
function findLibraries(): string[] {
  try {
    const maps = readFileSync('/proc/self/maps', 'utf8');
    return [...new Set([...maps.matchAll(/ (\/\S+\.so[.\d]*)$/gm)].map(([, path = '']) => dirname(path)))];
  } catch {
    return [];
  }
}

/** libuv opens the terminal behind a standard stream once more. */
function findTerminals(): string[] {
  return STANDARD_STREAMS.flatMap((stream) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${stream}`);
      return path.startsWith('/dev/pts/') || path.startsWith('/dev/tty') ? [path] : [];
    } catch {
      return [];
    }
  });
}
