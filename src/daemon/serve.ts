/** The daemon, put together: own the vault, unseal it, listen, answer until told to stop. */
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { checkSocketPath, type Home, secureHome } from '../home.ts';
import { ParserBuffer } from '../http/parser-buffer.ts';
import { createApiServer } from '../http/server.ts';
import { createLog, type Log, type LogOptions } from '../log.ts';
import type { PoolOptions } from '../pool/pools.ts';
import { adviseOn } from '../remedies.ts';
import { locateSessionToken, removeSessionToken, writeSessionToken } from '../session-token.ts';
import { type HandedSocket, listenOnHanded, takeHandedSocket } from './activation.ts';
import { chooseConnectionCap } from './descriptors.ts';
import { HeldVault } from './held-vault.ts';
import { findCode } from './launch.ts';
import { Libc } from './libc.ts';
import { mintSessionToken } from './mint-session-token.ts';
import { releaseOwnership, takeOwnership, tellProtections } from './ownership.ts';
import { checkPeers } from './peers.ts';
import { closeProcess, givePermissionsUp, listProtections, planGrants } from './permissions.ts';
import { takeNotify } from './readiness.ts';
import { checkFree, listenAt, removeSocket } from './socket.ts';

/** How long requests under way may take to finish when the daemon is told to stop. */
const REQUESTS_GRACE_MS = 5_000;
/** How long stopping may take in all. */
const STOP_GRACE_MS = 10_000;

/** A handler for these would return to the instruction that crashed, which crashes again, for ever. */
const CRASHES = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const;

export interface ServeOptions {
  readonly pool: PoolOptions;
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly log: LogOptions;
  /**
   * Runs when the vault is ours and before it is opened: makes one, if that was asked for. Returns the body of a request to
   * unseal it, if it was given the passphrase with that.
   */
  readonly prepare: () => Promise<Uint8Array<ArrayBuffer> | null>;
  /** Runs once, when the socket is in place and the vault is unsealed or could not be. */
  readonly onSettled: (vault: HeldVault) => Promise<void>;
  /** For people, when the daemon is ready. */
  readonly hints: string;
}

/** What has been set up so far, each with how to take it down again. */
type Teardown = (() => void | Promise<void>)[];

/**
 * Runs the daemon; the process ends with it. Throws OwnedElsewhereError or UnsafePlaceError if it cannot start, and
 * leaves nothing behind then either.
 */
export async function serve(options: ServeOptions): Promise<never> {
  const { home, env } = options;
  const teardown: Teardown = [];
  const log = createLog(options.log);
  const libc = Libc.open();
  closeProcess(libc);
  // Before any thread or child gets a copy of the environment.
  const handed = takeHandedSocket(env, home.socketPath);
  const notifyReady = takeNotify(env, log.event);
  secureHome(home);
  checkSocketPath(home.socketPath);
  takeOwnership(home, 'serve');
  teardown.push(() => releaseOwnership(home));
  const watch = stopWhenTold(log, teardown);
  try {
    // Before a vault is made or opened: what cannot be served is not touched.
    if (handed === null) await checkFree(home.socketPath);
    const passphrase = await options.prepare();
    const vault = await start(options, { handed, libc, passphrase }, log, teardown, watch.close);
    notifyReady();
    givePermissionsUp(planGrants(home, env, findCode()).atStart);
    tellProtections(home, 'serve', listProtections(libc));
    await vault.settled();
    await options.onSettled(vault);
    const { sealedBecause: problem } = vault;
    const sealedBecause = problem === null ? null : adviseOn(problem, 'session');
    log.ready({ socketPath: home.socketPath, sealedBecause, hints: options.hints });
  } catch (error) {
    // Else it would see the process run out of things to do, and end it as if that were well.
    watch.uninstall();
    await takeDown(teardown);
    throw error;
  }
  return new Promise<never>(() => {});
}

/** What the service manager has given us, the kernel, and whoever made the vault just now. */
interface Means {
  /** A body for `unseal`. */
  readonly passphrase: Uint8Array<ArrayBuffer> | null;
  readonly handed: HandedSocket | null;
  readonly libc: Libc | null;
}

/** Opens the vault and answers; the vault may still be being unsealed. */
async function start(
  { pool, home, env }: ServeOptions,
  { handed, libc, passphrase }: Means,
  log: Log,
  teardown: Teardown,
  stop: () => void,
): Promise<HeldVault> {
  const sessionToken = mintSessionToken();
  const vault = new HeldVault(pool, sessionToken, log.event);
  teardown.push(() => vault.close());
  void vault.unseal(passphrase);
  void vault.destroyed.then(stop);
  const limits = { connections: chooseConnectionCap(), report: log.event };
  const server = createApiServer(vault, log.request, limits);
  if (libc !== null) checkPeers(server, libc, log.event);
  const parserBuffer = await ParserBuffer.open(dirname(home.socketPath));
  teardown.push(() => parserBuffer.close());
  parserBuffer.watch(server);
  teardown.push(() => closeServer(server));
  teardown.push(() => vault.stopWaiting());
  const leaveToken = () => {
    const tokenPath = locateSessionToken(env, home.socketPath);
    writeSessionToken(tokenPath, sessionToken);
    teardown.push(() => removeSessionToken(tokenPath));
  };
  if (handed === null) {
    const socket = await listenAt(server, home.socketPath);
    teardown.push(() => removeSocket(home.socketPath, socket));
    leaveToken();
  } else {
    // Clients wait there already: whoever gets an answer must find the token.
    leaveToken();
    await listenOnHanded(server, handed);
  }
  return vault;
}

/**
 * On a signal, an error that nobody caught, or `close`: take everything down, then end the process (1 after an error).
 */
function stopWhenTold(log: Log, teardown: Teardown): { close(): void; uninstall(): void } {
  return closeWithGrace(
    { delay: STOP_GRACE_MS, logger: false, skip: [...CRASHES] },
    async ({ err, signal }) => {
      log.event('stopping', signal ?? err?.name ?? 'told to');
      await takeDown(teardown);
      await log.end();
    },
  );
}

/** In the reverse order of setting up: first nobody finds us, then nobody is answered, then nothing is held. */
async function takeDown(teardown: Teardown): Promise<void> {
  for (const step of teardown.splice(0).reverse()) await step();
}

/** Requests under way are finished; idle connections are closed at once. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), REQUESTS_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
