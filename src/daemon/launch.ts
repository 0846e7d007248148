/**
 * The launcher: turns this process into the daemon with execve, which keeps its process id and its standard streams. The
 * daemon's process is closed from its first instruction on: by an environment that can load no code and open no debugger, by
 * Node's permission model, and on Linux by Landlock and a filter of system calls.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KnownVault } from '../../workers/messages.ts';
import type { Home } from '../places/home.ts';
import { KNOWN_VARIABLE } from '../places/known-vaults.ts';
import { listMissing } from '../places/make-folders.ts';
import { HANDED_DESCRIPTOR, isHandedSocket } from './activation.ts';
import { ALLOCATOR_SETTINGS } from './allocator.ts';
import { type GivenFiles, planFence } from './fence.ts';
import { putBehind } from './landlock.ts';
import { Libc } from './libc.ts';
import { isGranted, planGrants } from './permissions.ts';
import { buildCallFilter } from './system-call-filter.ts';

/** The variables that reach the daemon. All others (NODE_…, LD_…, OPENSSL_CONF …) do not. */
const VARIABLES =
  /^(HOME|USER|LOGNAME|PATH|TERM|NO_COLOR|LANG|LC_[A-Z]+|TZ|TMPDIR|XDG_(RUNTIME_DIR|CONFIG_HOME|DATA_HOME)|DBUS_(SESSION|SYSTEM)_BUS_ADDRESS|CREDENTIALS_DIRECTORY|NOTIFY_SOCKET|LISTEN_(FDS|PID|PIDFDID|FDNAMES)|MAV_(HOME|VAULT|SOCKET|ENV|START|KEYCHAIN_TIMEOUT_MS))$/;

/**
 * MiB of each of the two halves in which V8 keeps new objects. By itself V8 lets each grow to 16 MiB while it is busy, which
 * adds some 100 MiB in three threads within minutes, for no measurable gain over 8 MiB. With 4 MiB a GET takes a tenth longer.
 */
const SEMI_SPACE_MB = 8;

/** What `mav serve` was given that decides how its process is closed. */
interface Given extends GivenFiles {
  /** Whether the daemon starts the process that hears of suspending and locking. */
  readonly isListener: boolean;
}

/** Takes the arguments of spawn. Replaces the process, or throws. */
type Execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;

/** Returns whether this process runs under Node's permission model, as those do that the launcher has started. */
export function isClosed(): boolean {
  return process.permission !== undefined;
}

/**
 * Starts `argv` (the words behind `mav`) again in a closed process, which is told what is `known` of the vault. Returns where
 * that is impossible because Node has no execve here, or cannot hand on the service manager's socket.
 */
export function launchClosed(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  home: Home,
  known: KnownVault | null,
  given: Given,
): void {
  const execve = process.execve as Execve | undefined;
  if (execve === undefined) return;
  // Without Node's warning that execve is experimental, which the user can do nothing about.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    const libc = Libc.open();
    if (isHandedSocket(env) && libc?.keepAcrossExec(HANDED_DESCRIPTOR) !== true) return;
    const filter = buildCallFilter();
    const flags = listFlags(home, env, given.isListener);
    libc?.forbidCores();
    if (libc !== null) putBehind(libc, planFence(home, env, findCode(), given));
    if (filter !== null) libc?.filterSystemCalls(filter);
    const program = fileURLToPath(new URL(`./first.c${extname(import.meta.url).slice(1)}`, import.meta.url));
    execve(process.execPath, [process.execPath, ...flags, program, ...argv], {
      ...cleanEnvironment(env),
      ...(known === null ? {} : { [KNOWN_VARIABLE]: JSON.stringify(known) }),
      ...ALLOCATOR_SETTINGS,
    });
  } finally {
    process.emitWarning = emitWarning;
  }
}

export function cleanEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => VARIABLES.test(name)));
}

/**
 * `--permission` also takes the inspector away, the one of SIGUSR1 too. The permissions that only the start needs are given
 * up when the daemon listens (permissions.ts).
 */
function listFlags(home: Home, env: NodeJS.ProcessEnv, isListener: boolean): string[] {
  // `--init` makes these folders, from the outermost on. Nothing else is in them.
  const toMake = listMissing(home.directory).slice(0, 1);
  const { read, write } = planGrants(home, env, findCode(), toMake);
  const known = process.allowedNodeEnvironmentFlags;
  return [
    '--permission',
    `--max-semi-space-size=${SEMI_SPACE_MB}`,
    '--disable-warning=SecurityWarning',
    '--disable-warning=ExperimentalWarning',
    '--allow-addons',
    '--allow-worker',
    // Node has these from 25 and 26 on. Before, nothing limits the network, and there is no node:ffi.
    ...['--allow-net', '--allow-ffi'].filter((flag) => known.has(flag)),
    // The program that tells the service manager that the daemon is ready, and the one that listens to the machine.
    ...(env.NOTIFY_SOCKET || isListener ? ['--allow-child-process'] : []),
    ...read
      .flatMap((path) => (isGranted(write, path) ? withContents(path) : [path]))
      .map((path) => `--allow-fs-read=${path}`),
    ...write.flatMap(withContents).map((path) => `--allow-fs-write=${path}`),
  ];
}

/** Node itself adds the contents of a folder, but not of one that is yet to be made, or of a path that is not a folder. */
function withContents(path: string): string[] {
  const isKnown = path.endsWith('*') || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return isKnown ? [path] : [path, join(path, '*')];
}

/** Returns where the code of the program and of its dependencies lies. */
export function findCode(): string {
  const here = fileURLToPath(import.meta.url);
  const installed = here.indexOf('/node_modules/');
  if (installed >= 0) return here.slice(0, installed + '/node_modules'.length);
  let folder = dirname(here);
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
