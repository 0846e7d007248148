/** This installation of mav, and the service that this platform makes of it. */
import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Home, locateFolder, locateHome } from '../../places/home.ts';
import { DEFAULT_VAULT } from '../../places/vault-names.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import type { Facts, Service } from './service.ts';

const PLATFORMS = ['linux', 'darwin'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** The service of this platform, or with --print of the one that is asked for. Throws CliError. */
export async function describeService(input: Input): Promise<Service> {
  const platform = choosePlatform(input, process.platform);
  const facts = gatherFacts(input, ['serve']);
  if (platform === 'darwin') return (await import('./launchd.ts')).describeLaunchd(facts);
  return (await import('./systemd.ts')).describeSystemd(facts);
}

/** Throws CliError if mav does not know the platform's service manager. */
export function choosePlatform({ text, flag }: Pick<Input, 'text' | 'flag'>, here: string): Platform {
  const given = text('platform');
  if (given !== undefined && !flag('print'))
    throw usageError('--platform goes with --print: only this machine can be changed');
  const platform = PLATFORMS.find((known) => known === (given ?? here));
  if (platform !== undefined) return platform;
  if (given !== undefined) throw usageError(`--platform must be one of ${PLATFORMS.join(', ')}`);
  throw new CliError(
    EXIT.failed,
    'mav service knows systemd (Linux) and launchd (macOS) only; start mav serve at login by other means',
  );
}

/** `command`: what `mav` is run with. Throws CliError. */
export function gatherFacts(input: Input, command: readonly string[]): Facts {
  const { XDG_CONFIG_HOME = '' } = input.context.env;
  const { home } = input;
  // The path that started the program. That of this module says nothing, because modules are bundled.
  const [, bin = ''] = process.argv;
  const vault = findVaultName(input);
  const facts: Facts = {
    command: [
      realpathSync(process.execPath),
      realpathSync(bin),
      ...command,
      ...describeOptions(input, vault),
    ],
    vault,
    environment: describeEnvironment(home, vault),
    socketPath: home.socketPath,
    userHome: homedir(),
    // The XDG specification: a relative one is to be passed over.
    configHome: isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(homedir(), '.config'),
    uid: process.getuid?.() ?? 0,
  };
  for (const path of [...facts.command, ...Object.values(facts.environment), facts.socketPath])
    checkWritable(path);
  return facts;
}

/** Returns the name that says which vault is meant; null where none does. */
function findVaultName({ text, context: { env } }: Input): string | null {
  const name = text('home') === undefined ? (text('vault') ?? env.MAV_VAULT) : undefined;
  return name && name !== DEFAULT_VAULT ? name : null;
}

/** A service cannot ask for a passphrase: without a passphrase file its vault stays sealed. */
function describeOptions({ text, home }: Input, vault: string | null): string[] {
  const passphraseFile = text('passphrase-file');
  return [
    ...(passphraseFile === undefined ? [] : ['--passphrase-file', resolve(passphraseFile)]),
    // MAV_SOCKET does not go with MAV_VAULT.
    ...(vault === null || hasUsualSocket(home) ? [] : ['--socket', home.socketPath]),
  ];
}

function hasUsualSocket({ directory, socketPath }: Home): boolean {
  return socketPath === join(directory, 'maestrovault.sock');
}

/** The service manager does not know the environment of the shell: what differs from the default is written down. */
function describeEnvironment(home: Home, vault: string | null): Record<string, string> {
  const byDefault = locateHome({}, null);
  const environment: Record<string, string> = {};
  // The service has the user's own HOME.
  if (vault !== null && locateFolder({ MAV_VAULT: vault }) === home.directory) environment.MAV_VAULT = vault;
  else if (home.directory !== byDefault.directory) environment.MAV_HOME = home.directory;
  if (vault === null && !hasUsualSocket(home)) environment.MAV_SOCKET = home.socketPath;
  // There the daemon finds which vault is the user's.
  if (home.knownVaultsPath !== byDefault.knownVaultsPath)
    environment.XDG_CONFIG_HOME = dirname(dirname(home.knownVaultsPath));
  return environment;
}

/** Neither kind of file can carry every control character, and a newline would begin another setting. */
function checkWritable(path: string): void {
  if (/\p{Cc}|\uFFFD/u.test(path))
    throw new CliError(
      EXIT.failed,
      'a path of this installation has a control character in it; a service cannot be made of it',
    );
}
