/**
 * Tells the service manager that the daemon is ready, sd_notify(3). That takes a datagram socket of the Unix kind, which
 * Node does not have. So systemd's own `systemd-notify` sends it, for which the unit says NotifyAccess=all. The manager is
 * not told that the daemon stops: by then the daemon may start no child, and the manager sees its end.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Fixed paths, not PATH: the child is told where the manager listens, so it must be the system's own program. */
export const NOTIFY_PROGRAMS = [
  '/usr/bin/systemd-notify',
  '/bin/systemd-notify',
  '/run/current-system/sw/bin/systemd-notify',
];
/** How long the child waits for the manager. The daemon itself does not wait. */
const PATIENCE_MS = 10_000;

/** Returns at once and never throws. Errors are reported. */
export type NotifyReady = () => void;

/** Takes NOTIFY_SOCKET out of `env`, so that no other child speaks for the daemon. Without it there is no manager to tell. */
export function takeNotify(
  env: NodeJS.ProcessEnv,
  report: (event: 'warning', detail: string) => void,
  programs: readonly string[] = NOTIFY_PROGRAMS,
): NotifyReady {
  const address = env.NOTIFY_SOCKET;
  delete env.NOTIFY_SOCKET;
  if (address === undefined || address === '') return () => {};
  const program = programs.find((path) => existsSync(path));
  return () => {
    const fail = (why: string) => report('warning', `the service manager was not told READY=1: ${why}`);
    if (program === undefined) return fail('systemd-notify is not installed');
    const child = spawn(program, ['READY=1'], {
      env: { NOTIFY_SOCKET: address },
      stdio: 'ignore',
      timeout: PATIENCE_MS,
    });
    child.once('error', ({ code }: NodeJS.ErrnoException) => fail(`systemd-notify cannot be run, ${code}`));
    child.once('exit', (exitCode) => {
      if (exitCode !== 0) fail('systemd-notify failed');
    });
    // The daemon's end does not wait for the child.
    child.unref();
  };
}
