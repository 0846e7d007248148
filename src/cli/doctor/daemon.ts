/** Checks of the daemon, or of what one left behind. */
import { existsSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from '../../client/alive.ts';
import { openSocket } from '../../client/open-socket.ts';
import type { Home } from '../../places/home.ts';
import { checkPrivateFile } from '../../places/home.ts';
import { type Owner, type Protection, type Protections, readOwner } from '../../places/owner.ts';
import { findSessionFile } from '../../places/session-token.ts';
import { ACCESS_BY_OTHERS } from '../../places/trusted-places.ts';
import { readSoftLimit } from '../../system/process-limits.ts';
import type { Input } from '../run/command.ts';
import { type Finding, fail, judge, ok, warn } from './finding.ts';

export async function checkDaemon({ home, context }: Input): Promise<Finding[]> {
  const { socketPath } = home;
  const stat = lstatSync(socketPath, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isSocket() && !stat.isSymbolicLink())
    return [fail('daemon', `${socketPath} is no socket, and in its place; move it away`)];
  const session = existsSync(dirname(socketPath)) ? findSessionFile(context.env, socketPath) : null;
  if (!(await isAlive(socketPath))) return findRemains(socketPath, stat !== undefined, session);
  // Throws if another user listens.
  (await openSocket(socketPath)).destroy();
  return [
    stat !== undefined && (stat.mode & ACCESS_BY_OTHERS) !== 0 && stat.isSocket()
      ? warn('daemon', `other users may ask on ${socketPath}; run: chmod 600 ${socketPath}`)
      : ok('daemon', `listens on ${socketPath}`),
    ...(session !== null && existsSync(session)
      ? [judge('session', `${session} is yours and closed to others`, () => checkPrivateFile(session))]
      : []),
    ...checkOwner(home),
  ];
}

function findRemains(socketPath: string, isThere: boolean, session: string | null): Finding[] {
  return [
    isThere
      ? warn(
          'daemon',
          `nobody listens on ${socketPath}: a daemon was killed; the next mav serve takes it over`,
        )
      : ok('daemon', 'none runs; commands open the vault by themselves'),
    ...(session !== null && existsSync(session)
      ? [
          warn(
            'session',
            `a killed daemon left ${session}, which is of no use; the next mav serve replaces it`,
          ),
        ]
      : []),
  ];
}

function checkOwner({ ownerPath }: Home): Finding[] {
  const owner = readOwner(ownerPath);
  if (owner?.command !== 'serve') return [];
  return [...checkCoreDumps(owner.pid), ...checkProtections(owner)];
}

/** As the daemon found them when it began to listen. */
function checkProtections({ protections, widened }: Owner): Finding[] {
  if (protections === undefined) return [];
  const all = Object.entries(protections) as [Protection, boolean][];
  const missing = all.filter(([, holds]) => !holds).map(([name]) => name);
  return [
    missing.length === 0
      ? ok('protections', `${all.map(([name]) => name).join(', ')}${sayBus(protections)}`)
      : warn('protections', `missing: ${missing.join(', ')}; ${explainLack(missing, widened).join('; ')}`),
  ];
}

/** Protections that can be missing for another cause than an old Node or an old system. */
const NODE_FILES: Protection = 'no files outside (Node)';
const KERNEL_FILES: Protection = 'no files outside (kernel)';
const HOME_CLOSED: Protection = 'your home closed (kernel)';

/** Why they are missing, as far as it is known, and what to do about it. */
function explainLack(missing: readonly Protection[], widened: string | undefined): string[] {
  const others = missing.filter(
    (name) => name !== KERNEL_FILES && !((name === NODE_FILES || name === HOME_CLOSED) && widened),
  );
  const lacksLandlock = others.length === 0 && missing.includes(KERNEL_FILES);
  return [
    ...(widened === undefined ? [] : [widened]),
    ...(lacksLandlock
      ? ['Linux 5.13 or newer has the kernel’s, where Landlock is turned on (lsm= on its command line)']
      : others.length > 0
        ? ['Node 26.1 or newer on Linux 5.13 or newer has them all']
        : []),
  ];
}

/** The key of some vaults is in the keychain, which is asked over the session's bus at any time. */
function sayBus({ 'no connections to others': isClosed }: Protections): string {
  return isClosed !== undefined ? '' : '; open to the session bus, for the keychain';
}

/** A core dump has all of a process's memory in it. */
function checkCoreDumps(pid: number): Finding[] {
  const limit = readSoftLimit(pid, 'Max core file size');
  if (limit === null) return [];
  return [
    limit === '0'
      ? ok('core dumps', 'the daemon writes none')
      : warn(
          'core dumps',
          'if the daemon crashes, its keys may be written to disk; start it under: ulimit -c 0',
        ),
  ];
}
