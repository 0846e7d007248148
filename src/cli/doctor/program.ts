/** Checks of the program itself: the Node that runs it, which `mav` a shell finds, and what the environment does to it. */
import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isExecutable } from '../process/find-program.ts';
import { locateFront } from '../process/front.ts';
import type { Input } from '../run/command.ts';
import { readPackage } from '../run/package-json.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Variables that load code of somebody's choosing into every program, this one included. */
const LOADING_VARIABLES = ['NODE_OPTIONS', 'LD_PRELOAD', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES'] as const;

export function checkProgram({ context: { env } }: Input): Finding[] {
  return [checkNode(), checkPath(env.PATH ?? '', process.argv[1] ?? ''), ...checkEnvironment(env)];
}

/** Passes always: a Node that is too old does not get past the program's first line. */
function checkNode(): Finding {
  const { engines, version } = readPackage();
  return ok('program', `MaestroVault ${version} on Node ${process.versions.node} (it needs ${engines.node})`);
}

/** `program`: the file that runs now. */
export function checkPath(path: string, program: string): Finding {
  const first = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'mav'))
    .find(isExecutable);
  if (first === undefined)
    return warn('PATH', 'no mav is on PATH; install it as README says, or add the folder it is in');
  if ([realpathSync(program), locateFront(program)].includes(realpathSync(first)))
    return ok('PATH', `${first} is this program`);
  return warn(
    'PATH',
    `mav is ${first}, which is another program than this one (${program}); remove one of them`,
  );
}

/** Names only: a value may be anything. */
export function checkEnvironment(env: NodeJS.ProcessEnv): Finding[] {
  const loading = LOADING_VARIABLES.filter((name) => env[name]);
  const findings =
    loading.length === 0
      ? [ok('environment', `none of ${LOADING_VARIABLES.join(', ')} is set`)]
      : loading.map((name) => warn('environment', `${name} is set, and can load code into mav; unset it`));
  if (env.MAV_TOKEN === undefined) return findings;
  return [...findings, ok('environment', 'MAV_TOKEN is set: mav may do what that token may, and no more')];
}
