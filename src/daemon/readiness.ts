/**
 * Telling the service manager that the daemon is ready, sd_notify(3). That takes a datagram socket of the Unix kind,
 * which Node does not have: systemd's own `systemd-notify` sends it, and the unit says NotifyAccess=all for that. That
 * the daemon stops is not told: by then it may start no child any more, and the manager sees its end.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Never by PATH: the child is told where the manager listens. */
export const NOTIFY_PROGRAMS = [
  '/usr/bin/systemd-notify',
  '/bin/systemd-notify',
  '/run/current-system/sw/bin/systemd-notify',
];
/** The manager's answer is waited for by the child only, and not for ever. */
const PATIENCE_MS = 10_000;

/** Returns at once, and never throws: what goes wrong is reported. */
export type NotifyReady = () => void;

/** Takes NOTIFY_SOCKET out of `env`, so that no other child speaks for us; without it nobody is told anything. */
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
    // Our own end does not wait for it.
    child.unref();
  };
}
