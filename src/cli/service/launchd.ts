/** The launchd agent: the daemon runs from login to logout. */
import { join } from 'node:path';
import { build } from 'plist';
import { ACCESS_BY_OTHERS } from '../../places/trusted-places.ts';
import { type Facts, MARKER, type Service } from './service.ts';

function nameAgent({ vault }: Facts): string {
  return vault === null ? 'maestrovault.serve' : `maestrovault.serve.${vault}`;
}

export function describeLaunchd(facts: Facts): Service {
  const label = nameAgent(facts);
  const path = join(facts.userHome, 'Library', 'LaunchAgents', `${label}.plist`);
  const domain = `gui/${facts.uid}`;
  const target = `${domain}/${label}`;
  return {
    manager: 'launchd',
    files: [{ path, content: agentPlist(facts) }],
    links: [],
    ...listSteps(domain, target, path),
    status: { argv: ['launchctl', 'print', target] },
    // launchctl prints "state = running" or "state = not running", and has no output for programs.
    isRunning: {
      argv: ['/bin/sh', '-c', 'launchctl print "$1" | grep -q "^[[:space:]]*state = running"', 'sh', target],
    },
    isManaged: { argv: ['launchctl', 'print', target] },
    logs: (lines, follow) => ({
      argv: ['tail', '-n', lines, ...(follow ? ['-F'] : []), logPath(facts)],
    }),
  };
}

function listSteps(
  domain: string,
  target: string,
  path: string,
): Pick<Service, 'install' | 'start' | 'stop' | 'disable' | 'forget'> {
  const bootout = { argv: ['launchctl', 'bootout', target], mayFail: true } as const;
  const bootstrap = ['launchctl', 'bootstrap', domain, path];
  const enable = { argv: ['launchctl', 'enable', target] };
  const kickstart = { argv: ['launchctl', 'kickstart', target] };
  return {
    // bootstrap is refused while an earlier agent is still ending.
    install: [bootout, enable, { argv: bootstrap, mayNeedTime: true }, kickstart],
    start: [{ argv: bootstrap, mayFail: true }, kickstart],
    stop: [bootout],
    disable: [bootout],
    forget: [],
  };
}

function logPath({ userHome, vault }: Facts): string {
  return join(userHome, 'Library', 'Logs', vault === null ? 'maestrovault.log' : `maestrovault-${vault}.log`);
}

/** Two hyphens would end the comment that has it. */
function writeMav({ vault }: Facts): string {
  return vault === null ? 'mav' : `MAV_VAULT=${vault} mav`;
}

/** launchd.plist(5). */
function agentPlist(facts: Facts): string {
  const { command, environment } = facts;
  const limits = { Core: 0 };
  const agent = {
    Label: nameAgent(facts),
    ProgramArguments: [...command],
    ...(Object.keys(environment).length === 0 ? {} : { EnvironmentVariables: { ...environment } }),
    RunAtLoad: true,
    KeepAlive: true,
    SoftResourceLimits: limits,
    HardResourceLimits: limits,
    // A property list writes it as a decimal number.
    Umask: ACCESS_BY_OTHERS,
    StandardErrorPath: logPath(facts),
  };
  // The comment stands where a reader looks first, below the line that says that this is XML.
  return build(agent, { indent: '\t' }).replace(
    '\n',
    `\n<!-- ${MARKER} install, which overwrites it. Remove it with: ${writeMav(facts)} service uninstall -->\n`,
  );
}
