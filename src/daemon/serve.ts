/** Puts the daemon together: it takes the vault's lock, unseals the vault, listens, and answers until it is told to stop. */
import type { Server } from 'node:http';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { KnownVault } from '../../workers/messages.ts';
import { isAlive } from '../client/alive.ts';
import { createFindAsker } from '../http/asker.ts';
import { loadOpenApi } from '../http/openapi.ts';
import { createApiServer } from '../http/server.ts';
import { ParserBuffer } from '../http/wipe-parser-buffer.ts';
import { createLog, type Log, type LogOptions } from '../log/log.ts';
import { checkSocketPath, type Home, secureHome } from '../places/home.ts';
import { readOwner, TURN_PATIENCE_MS } from '../places/owner.ts';
import { leaveSessionToken } from '../places/session-token.ts';
import type { PoolOptions } from '../pool/pools.ts';
import { API, adviseOn } from '../remedies.ts';
import { PeerCredentials } from '../system/peer-credentials.ts';
import { hasSignal, readStarted, START_VARIABLE } from '../system/started.ts';
import { type HandedSocket, listenOnHanded, takeHandedSocket } from './activation.ts';
import { chooseConnectionCap } from './descriptors.ts';
import { Ending, STOP_SIGNALS } from './ending.ts';
import { HeldVault } from './held-vault.ts';
import { findCode } from './launch.ts';
import { letSealItself } from './let-seal-itself.ts';
import { Libc } from './libc.ts';
import { mintSessionToken } from './mint-session-token.ts';
import { awaitOwnership, releaseOwnership, takeOwnership, tellProtections } from './ownership.ts';
import { checkPeers } from './peers.ts';
import {
  closeListening,
  closeProcess,
  explainOpenHome,
  explainWidened,
  givePermissionsUp,
  listProtections,
  planGrants,
} from './permissions.ts';
import { takeNotify } from './readiness.ts';
import type { SealingRules } from './self-sealing.ts';
import { checkFree, listenAt, removeSocket } from './socket.ts';
import { Watchdog } from './watchdog.ts';

/** How long requests under way may take to finish when the daemon is told to stop. */
const REQUESTS_GRACE_MS = 5_000;
export interface ServeOptions {
  readonly pool: PoolOptions;
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly log: LogOptions;
  /** When the vault is sealed without being asked to; null: never. */
  readonly sealing: SealingRules | null;
  /**
   * Called when this process has the vault's lock and before the vault is opened. Makes a vault, if that was asked for.
   * Returns what is known of the vault, and the body of an unseal request if the passphrase was given.
   */
  readonly prepare: () => Promise<{
    readonly known: KnownVault | null;
    readonly passphrase: Uint8Array<ArrayBuffer> | null;
  }>;
  /**
   * Called once, when the socket is in place and the vault is unsealed or could not be unsealed. `isHanded`: the socket is
   * the service manager's. An error that it throws ends the daemon.
   */
  readonly onSettled: (vault: HeldVault, isHanded: boolean) => Promise<void>;
  /** Text for people, shown when the daemon is ready. */
  readonly hints: string;
}

/**
 * Runs the daemon until the process ends. Throws OwnedElsewhereError or UnsafePlaceError if it cannot start, and leaves
 * nothing behind then.
 */
export async function serve(options: ServeOptions): Promise<never> {
  const { home, env } = options;
  const log = createLog(options.log);
  const libc = Libc.open();
  closeProcess(libc);
  // Before any thread or child gets a copy of the environment.
  const handed = takeHandedSocket(env, home.socketPath);
  const notifyReady = takeNotify(env, log.event);
  secureHome(home);
  checkSocketPath(home.socketPath);
  await becomeOwner(home, handed !== null);
  const ending = new Ending({ log, libc, watchdog: Watchdog.start(log.event), ignored: takeIgnored(env) });
  ending.teardown.push(() => releaseOwnership(home));
  ending.listen();
  try {
    // Before a vault is made or opened, so that a vault that cannot be served is not touched.
    if (handed === null) await checkFree(home.socketPath);
    const { known, passphrase } = await options.prepare();
    // Every path is absolute by now, and the folder that the daemon was started in may be deleted or unmounted.
    libc?.leaveFolder();
    const vault = await start(options, { handed, known, passphrase }, log, ending);
    notifyReady();
    giveRightsUp(options, libc, known, log);
    await becomeReady(options, vault, handed !== null, log);
  } catch (error) {
    // If the daemon was told to stop while it started, that ends the process.
    if (!ending.isUnderWay) {
      await ending.abandon();
      throw error;
    }
  }
  return new Promise<never>(() => {});
}

/** Waits until the vault is unsealed or could not be, and says so. */
async function becomeReady(
  { home, hints, onSettled }: ServeOptions,
  vault: HeldVault,
  isHanded: boolean,
  log: Log,
): Promise<void> {
  // Whatever a later request needs is loaded now, because the program may be replaced while the daemon runs.
  await Promise.all([vault.loaded(), loadOpenApi()]);
  await Promise.all([vault.settled(), vault.sessionWatcher?.settled()]);
  await onSettled(vault, isHanded);
  const { sealedBecause: problem } = vault;
  const sealedBecause = problem === null ? null : adviseOn(problem, API);
  log.ready({ socketPath: home.socketPath, sealedBecause, hints });
}

/** Gives up the rights that only the start needs, and records which protections hold then. */
function giveRightsUp(
  { home, env }: ServeOptions,
  libc: Libc | null,
  known: KnownVault | null,
  log: Log,
): void {
  givePermissionsUp(planGrants(home, env, findCode()).atStart);
  // Everything that connects has done so: to a daemon that may be there, to this process (ParserBuffer), and the child of
  // the service manager.
  const cannotConnect = closeListening(libc, known);
  const [grants, openHome] = [explainWidened(), explainOpenHome(libc, env)];
  const more = { isWidened: grants !== null, isHomeOpen: openHome !== null };
  const protections = listProtections(libc, cannotConnect, more);
  const widened = [grants, openHome].filter((said) => said !== null);
  tellProtections(home, 'serve', {
    protections,
    ...(widened.length === 0 ? {} : { widened: widened.join('; ') }),
  });
  for (const said of widened) log.event('warning', said);
}

/**
 * Takes the vault's lock. Waits for a short command that has it, but not for another daemon. Throws OwnedElsewhereError.
 * `isHanded`: the socket is the service manager's, which accepts connections whether a daemon runs or not.
 */
async function becomeOwner(home: Home, isHanded: boolean): Promise<void> {
  const isServed = async () => {
    const places = [isHanded ? undefined : home.socketPath, readOwner(home.ownerPath)?.socket];
    const alive = await Promise.all(places.map((place) => place !== undefined && isAlive(place)));
    return alive.includes(true);
  };
  if (!(await awaitOwnership(home, 'serve', TURN_PATIENCE_MS, isServed))) takeOwnership(home, 'serve');
}

/**
 * Returns the signals that this process was started to ignore, as by `nohup`; Node has set them back. Takes the list out of
 * the environment, so that no child gets it.
 */
function takeIgnored(env: NodeJS.ProcessEnv): NodeJS.Signals[] {
  const ignored = readStarted(env)?.ignored ?? 0n;
  delete env[START_VARIABLE];
  return STOP_SIGNALS.filter((name) => hasSignal(ignored, constants.signals[name]));
}

/** What the daemon was given by the service manager and by the step that prepared the vault. */
interface Means {
  /** A body for `unseal`. */
  readonly passphrase: Uint8Array<ArrayBuffer> | null;
  readonly known: KnownVault | null;
  readonly handed: HandedSocket | null;
}

/** Opens the vault and begins to answer. The vault may still be being unsealed when it returns. */
async function start(
  options: ServeOptions,
  { handed, known, passphrase }: Means,
  log: Log,
  ending: Ending,
): Promise<HeldVault> {
  const sessionToken = mintSessionToken();
  const vault = new HeldVault({ ...options.pool, known }, sessionToken, log.event);
  ending.teardown.push(() => vault.close());
  vault.checkRows();
  void vault.unseal(passphrase);
  // While the daemon may still start programs.
  if (options.sealing !== null)
    ending.teardown.push(letSealItself(vault, options.sealing, options.env, log.event));
  void vault.destroyed.then(() => ending.begin('the vault was destroyed', 0));
  void vault.stuck.then(() => ending.beginNow('a thread cannot let go of the keys'));
  const server = await createVaultServer(vault, options.home, log, ending);
  await listen(server, options, handed, sessionToken, ending);
  return vault;
}

/** Returns a server that does not listen yet. */
async function createVaultServer(vault: HeldVault, home: Home, log: Log, ending: Ending): Promise<Server> {
  const { teardown } = ending;
  const credentials = PeerCredentials.open();
  vault.approvals.canWait = true;
  const parserBuffer = await ParserBuffer.open(dirname(home.socketPath));
  teardown.push(() => parserBuffer.close());
  const server = createApiServer(vault, log.request, {
    connections: chooseConnectionCap(),
    findAsker: createFindAsker(credentials),
    report: log.event,
    onParsed: () => parserBuffer.overwriteSoon(),
  });
  if (credentials !== null) checkPeers(server, credentials, log.event);
  teardown.push(() => closeServer(server, ending.hurry));
  teardown.push(() => vault.stopWaiting());
  return server;
}

/** Listens on the socket, and leaves the session token where the command line looks for it. */
async function listen(
  server: Server,
  { home, env }: ServeOptions,
  handed: HandedSocket | null,
  sessionToken: string,
  { teardown }: Ending,
): Promise<void> {
  const leaveToken = () => teardown.push(leaveSessionToken(env, home.socketPath, sessionToken));
  if (handed === null) {
    const socket = await listenAt(server, home.socketPath);
    teardown.push(() => removeSocket(home.socketPath, socket));
    leaveToken();
  } else {
    // First, because clients wait there already, and one that gets a response must find the token.
    leaveToken();
    await listenOnHanded(server, handed);
  }
}

/** Waits for the requests under way, and closes idle connections at once. */
async function closeServer(server: Server, hurry: AbortSignal): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), REQUESTS_GRACE_MS);
  if (hurry.aborted) server.closeAllConnections();
  else hurry.addEventListener('abort', () => server.closeAllConnections());
  await closed;
  clearTimeout(timer);
}
