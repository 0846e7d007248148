/** The systemd user units: a socket that listens from login on, and the daemon that its first connection starts. */
import { join } from 'node:path';
import { CliError, EXIT } from '../run/failure.ts';
import { type Facts, MARKER, type Service, type Step } from './service.ts';

/** The units of one vault. */
interface Units {
  readonly socket: string;
  readonly service: string;
}

function nameUnits({ vault }: Facts): Units {
  const name = vault === null ? 'maestrovault' : `maestrovault-${vault}`;
  return { socket: `${name}.socket`, service: `${name}.service` };
}

/** The first line of each file. */
function writeHead({ vault }: Facts): string {
  const mav = vault === null ? 'mav' : `mav --vault ${vault}`;
  return `# ${MARKER} install, which overwrites it. Remove it with: ${mav} service uninstall`;
}

function describeUnits({ vault }: Facts, what: string): string {
  return `Description=${what}${vault === null ? '' : ` of the vault ${vault}`}`;
}

export function describeSystemd(facts: Facts): Service {
  const units = nameUnits(facts);
  const { socket, service } = units;
  const folder = join(facts.configHome, 'systemd', 'user');
  return {
    manager: "systemd's user manager",
    files: [
      { path: join(folder, socket), content: socketUnit(facts) },
      { path: join(folder, service), content: serviceUnit(facts) },
    ],
    links: [join(folder, 'sockets.target.wants', socket), join(folder, 'default.target.wants', service)],
    ...listSteps(units),
    status: systemctl('--no-pager', 'status', service, socket),
    isRunning: systemctl('--quiet', 'is-active', service),
    isManaged: systemctl('--quiet', 'is-active', socket),
    // Without --user: where the journal is not persistent, the system's has the lines of users' services.
    logs: (lines, follow) => ({
      argv: ['journalctl', `--user-unit=${service}`, `--lines=${lines}`, ...(follow ? ['--follow'] : [])],
    }),
  };
}

function listSteps({
  socket,
  service,
}: Units): Pick<Service, 'install' | 'start' | 'stop' | 'disable' | 'forget'> {
  const reload = systemctl('daemon-reload');
  const stop = systemctl('stop', socket, service);
  // Without this step a unit that has failed too often refuses to start for a while.
  const forgive: Step = { ...systemctl('reset-failed', socket, service), mayFail: true };
  return {
    // Stopped first: a socket cannot be set up again under a running daemon.
    install: [reload, stop, forgive, systemctl('enable', '--now', socket), systemctl('start', service)],
    start: [forgive, systemctl('start', socket, service)],
    // The socket too: else the next request would start the daemon again.
    stop: [stop],
    disable: [systemctl('disable', '--now', socket, service)],
    forget: [reload],
  };
}

export function systemctl(...args: string[]): Step {
  return { argv: ['systemctl', '--user', ...args] };
}

/** systemd.socket(5). */
function socketUnit(facts: Facts): string {
  return `${writeHead(facts)}
[Unit]
${describeUnits(facts, 'Socket of the MaestroVault daemon')}

[Socket]
ListenStream=${writeLine(facts.socketPath)}
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`;
}

/** systemd.service(5), systemd.exec(5). */
function serviceUnit(facts: Facts): string {
  const { socket } = nameUnits(facts);
  return `${writeHead(facts)}
[Unit]
${describeUnits(facts, 'MaestroVault daemon')}
Requires=${socket}
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=all
ExecStart=${writeCommand(facts.command)}
${writeVariables(facts.environment)}UnsetEnvironment=NODE_OPTIONS NODE_V8_COVERAGE LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH OPENSSL_CONF
Restart=on-failure
RestartSec=1
LimitCORE=0
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
MemorySwapMax=0

[Install]
WantedBy=default.target
Also=${socket}
`;
}

export function writeVariables(environment: Facts['environment']): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `Environment=${quoteWord(`${name}=${value}`)}\n`,
  );
  return lines.join('');
}

/** The line begins with a colon, which makes "$" an ordinary character (systemd.service(5)). */
export function writeCommand([program = '', ...args]: readonly string[]): string {
  // Refused in the name of a program, though not in an argument.
  const isRefused = /["'\\]/.test(program);
  const words = isRefused ? ['/bin/sh', '-c', 'exec "$0" "$@"', program, ...args] : [program, ...args];
  return words.map((word, index) => quoteWord(index === 0 ? `:${word}` : word)).join(' ');
}

/** One word in double quotes, where a backslash escapes (systemd.syntax(7)); "%" begins a specifier (systemd.unit(5)). */
function quoteWord(word: string): string {
  return `"${word.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** A setting without quotes: all of the line belongs to it, but for blanks at its ends and a backslash at its last. */
function writeLine(path: string): string {
  if (path !== path.trim() || path.endsWith('\\')) {
    throw new CliError(
      EXIT.failed,
      'a systemd unit cannot name a socket whose path ends with a blank or a backslash; set MAV_socket',
    );
  }
  return path.replaceAll('%', '%%');
}
