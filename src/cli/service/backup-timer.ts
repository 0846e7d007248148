/** The daily backup: a systemd user timer, or a launchd agent, that runs `mav backup` as the user would. */
import { join } from 'node:path';
import { build } from 'plist';
import { ACCESS_BY_OTHERS } from '../../places/trusted-places.ts';
import type { Platform } from './installation.ts';
import { type Facts, MARKER, type Service, type Step } from './service.ts';
import { systemctl, writeCommand, writeVariables } from './systemd.ts';

export type BackupTimer = Pick<Service, 'manager' | 'files' | 'links' | 'install' | 'disable' | 'forget'>;

/** At noon the machine is on more often than at night. A run that was missed is made up for. */
const HOUR = 12;

/** `facts.command` is that of the backup. */
export function describeBackupTimer(facts: Facts, platform: Platform): BackupTimer {
  return platform === 'darwin' ? describeAgent(facts) : describeUnits(facts);
}

function nameTimer({ vault }: Facts): string {
  return vault === null ? 'maestrovault-backup' : `maestrovault-backup-${vault}`;
}

function writeHead({ vault }: Facts): string {
  const mav = vault === null ? 'mav' : `mav --vault ${vault}`;
  return `${MARKER} backup, which overwrites it. Remove it with: ${mav} service backup --off`;
}

function describeUnits(facts: Facts): BackupTimer {
  const folder = join(facts.configHome, 'systemd', 'user');
  const [timer, service] = [`${nameTimer(facts)}.timer`, `${nameTimer(facts)}.service`];
  return {
    manager: "systemd's user manager",
    files: [
      { path: join(folder, timer), content: timerUnit(facts) },
      { path: join(folder, service), content: serviceUnit(facts) },
    ],
    links: [join(folder, 'timers.target.wants', timer)],
    install: [systemctl('daemon-reload'), systemctl('enable', '--now', timer)],
    disable: [systemctl('disable', '--now', timer)],
    forget: [systemctl('daemon-reload')],
  };
}

/** systemd.timer(5). */
function timerUnit(facts: Facts): string {
  return `# ${writeHead(facts)}
[Unit]
Description=Daily backup of a MaestroVault vault

[Timer]
OnCalendar=*-*-* ${HOUR}:00
Persistent=yes
RandomizedDelaySec=15min

[Install]
WantedBy=timers.target
`;
}

/** systemd.service(5). It is not put behind fences as the daemon is, because it writes wherever the backups are to lie. */
function serviceUnit(facts: Facts): string {
  return `# ${writeHead(facts)}
[Unit]
Description=Backup of a MaestroVault vault

[Service]
Type=oneshot
ExecStart=${writeCommand(facts.command)}
${writeVariables(facts.environment)}UnsetEnvironment=NODE_OPTIONS NODE_V8_COVERAGE LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH OPENSSL_CONF
Nice=10
LimitCORE=0
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
MemorySwapMax=0
`;
}

function describeAgent(facts: Facts): BackupTimer {
  const label = nameTimer(facts)
    .replace('maestrovault-backup', 'maestrovault.backup')
    .replace('backup-', 'backup.');
  const path = join(facts.userHome, 'Library', 'LaunchAgents', `${label}.plist`);
  const domain = `gui/${facts.uid}`;
  const bootout: Step = { argv: ['launchctl', 'bootout', `${domain}/${label}`], mayFail: true };
  return {
    manager: 'launchd',
    files: [{ path, content: agentPlist(facts, label) }],
    links: [],
    install: [bootout, { argv: ['launchctl', 'bootstrap', domain, path], mayNeedTime: true }],
    disable: [bootout],
    forget: [],
  };
}

/** launchd.plist(5). launchd makes up for one run that was missed while the machine slept. */
function agentPlist(facts: Facts, label: string): string {
  const { command, environment } = facts;
  const limits = { Core: 0 };
  const agent = {
    Label: label,
    ProgramArguments: [...command],
    ...(Object.keys(environment).length === 0 ? {} : { EnvironmentVariables: { ...environment } }),
    StartCalendarInterval: { Hour: HOUR, Minute: 0 },
    SoftResourceLimits: limits,
    HardResourceLimits: limits,
    Umask: ACCESS_BY_OTHERS,
    StandardErrorPath: join(facts.userHome, 'Library', 'Logs', `${label}.log`),
  };
  // Two hyphens would end the comment, so the option is named without them.
  const head = `${MARKER} backup, which overwrites it. Remove it with mav service backup and the option off`;
  return build(agent, { indent: '\t' }).replace('\n', `\n<!-- ${head} -->\n`);
}
