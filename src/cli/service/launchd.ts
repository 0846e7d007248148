/** The launchd agent: the daemon runs from login to logout. */
import { join } from 'node:path';
import { build } from 'plist';
import { type Facts, MARKER, type Service } from './service.ts';

const LABEL = 'maestrovault.serve';
/** 077, which a property list can only write as a decimal number. */
const UMASK = 0o077;

export function describeLaunchd(facts: Facts): Service {
  const path = join(facts.userHome, 'Library', 'LaunchAgents', `${LABEL}.plist`);
  const domain = `gui/${facts.uid}`;
  const target = `${domain}/${LABEL}`;
  const bootout = { argv: ['launchctl', 'bootout', target], mayFail: true } as const;
  // Refused while an earlier one is still on its way out.
  const bootstrap = { argv: ['launchctl', 'bootstrap', domain, path], mayNeedTime: true } as const;
  const kickstart = { argv: ['launchctl', 'kickstart', target] };
  return {
    manager: 'launchd',
    files: [{ path, content: agentPlist(facts) }],
    links: [],
    install: [bootout, { argv: ['launchctl', 'enable', target] }, bootstrap, kickstart],
    start: [{ argv: ['launchctl', 'bootstrap', domain, path], mayFail: true }, kickstart],
    stop: [bootout],
    disable: [bootout],
    forget: [],
    status: { argv: ['launchctl', 'print', target] },
    // It prints "state = running" or "state = not running"; there is no form of it for programs.
    isRunning: {
      argv: ['/bin/sh', '-c', 'launchctl print "$1" | grep -q "^[[:space:]]*state = running"', 'sh', target],
    },
    isManaged: { argv: ['launchctl', 'print', target] },
    logs: (lines, follow) => ({
      argv: ['tail', '-n', lines, ...(follow ? ['-F'] : []), logPath(facts)],
    }),
  };
}

function logPath({ userHome }: Facts): string {
  return join(userHome, 'Library', 'Logs', 'maestrovault.log');
}

/** launchd.plist(5). */
function agentPlist(facts: Facts): string {
  const { command, environment } = facts;
  const limits = { Core: 0 };
  const agent = {
    Label: LABEL,
    ProgramArguments: [...command],
    ...(Object.keys(environment).length === 0 ? {} : { EnvironmentVariables: { ...environment } }),
    RunAtLoad: true,
    KeepAlive: true,
    SoftResourceLimits: limits,
    HardResourceLimits: limits,
    Umask: UMASK,
    StandardErrorPath: logPath(facts),
  };
  // The comment stands where a reader looks first, below the line that says that this is XML.
  return build(agent, { indent: '\t' }).replace(
    '\n',
    `\n<!-- ${MARKER}, which writes it anew. Remove it with: mav service uninstall -->\n`,
  );
}
