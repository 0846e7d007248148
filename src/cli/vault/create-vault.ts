/**
 * Making a vault, for `mav init` and `mav serve --init`: which key store it gets, and what the user is told. In two steps:
 * everything is asked before anything is made, so that a user who gives up leaves nothing behind.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import type { Call, KnownVault, SlotKind } from '../../../workers/messages.ts';
import type { CallResult } from '../../call-result.ts';
import { isOurVault } from '../../places/foreign-vault.ts';
import {
  checkSocketPath,
  checkSocketPathSize,
  checkWritable,
  type Home,
  hasVault,
} from '../../places/home.ts';
import { isWithin, parseKnownVault } from '../../places/known-vaults.ts';
import type { PoolOptions } from '../../pool/pools.ts';
import { adviseOn } from '../../remedies.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, exitCodeOf, usageError } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from '../terminal/interruption.ts';
import { joinBodies } from './join-bodies.ts';
import { type DailyKind, KEY_STORE_NAMES } from './key-store-names.ts';
import { KEY_STORES } from './key-stores.ts';
import { NewFiles } from './new-files.ts';
import { poolOptions } from './pool-options.ts';
import { canKeepCode, checkRecoveryFile, handOver, readCode } from './recovery-code.ts';
import { chooseReader } from './remedy-readers.ts';

type Control = (call: Pick<Call, 'operation' | 'params' | 'body'>) => Promise<CallResult>;

/** The decisions before anything is made. */
export interface VaultPlan {
  readonly keyStore: DailyKind;
  readonly isChosenByUs: boolean;
  /** `{"passphrase": …}` if it was typed, else null. The caller of planVault zeroes it. */
  readonly passphrase: Uint8Array<ArrayBuffer> | null;
  readonly files: NewFiles;
  /** For a vault that is moved when it is complete: takes what tells the user of it, once it is at `path`. Absent: told at once. */
  readonly onMade?: (tell: (path: string) => void) => void;
  /** Whether the vault gets a recovery code, too. */
  readonly hasRecovery: boolean;
}

/**
 * For the launcher: what can be told of a plan before the process is closed, which takes folders that it then cannot remove.
 * Throws CliError or UnsafePlaceError. Changes nothing.
 */
export async function checkPlan(input: Input, home: Home): Promise<void> {
  const keyStore = readKeyStore(input);
  checkPlace(home);
  if (keyStore === 'passphrase') await checkCanAsk(input);
  const keyFile = input.text('key-file');
  if (keyFile !== undefined) checkKeyFilePlace(resolve(keyFile), home);
}

/** Makes the checks of the vault's thread, in the same words. */
function checkKeyFilePlace(path: string, { directory }: Home): void {
  const folder = dirname(path);
  if (existsSync(path)) throw new CliError(EXIT.failed, `${path} exists already; nothing was changed`);
  const isInside =
    existsSync(folder) && existsSync(directory)
      ? isWithin(realpathSync(folder), realpathSync(directory))
      : isWithin(folder, directory);
  if (isInside) throw usageError("the key file must lie outside the vault's folder");
  if (!existsSync(folder)) throw usageError(`the folder ${folder} is not there; make it first`);
}

/** Throws CliError or UnsafePlaceError where no vault can be made or served. Changes nothing. */
export async function planVault(input: Input, home: Home): Promise<VaultPlan> {
  const asked = readKeyStore(input);
  checkPlace(home);
  // What is wrong with these is said before anything is made.
  planPool(input, home);
  checkRecoveryFile(input);
  const files = new NewFiles(home);
  const keyStore = asked === 'auto' ? await chooseKeyStore(input, home) : asked;
  const passphrase = keyStore === 'passphrase' ? await choosePassphrase(input) : null;
  return { keyStore, isChosenByUs: asked === 'auto', passphrase, files, hasRecovery: await wantsCode(input) };
}

function checkPlace(home: Home): void {
  hasVault(home);
  if (existsSync(home.databasePath)) {
    const what = isOurVault(home.databasePath)
      ? 'there is a vault'
      : 'something that is no vault, or a damaged one, is';
    throw new CliError(EXIT.failed, `${what} at ${home.databasePath} already; nothing was changed`);
  }
  // Checked before the socket: the vault's folder is the more important obstacle.
  if (existsSync(home.directory)) checkWritable(home);
  // A vault must not be made that no daemon could serve. If the socket lies in the vault's folder, that is made with it.
  const isOwnFolder = dirname(home.socketPath) === home.directory;
  (isOwnFolder && !existsSync(home.directory) ? checkSocketPathSize : checkSocketPath)(home.socketPath);
}

/**
 * Makes the vault, of which this process is the owner, and returns how it is known. If it throws CliError, it leaves
 * nothing behind.
 */
export async function makeVault(input: Input, home: Home, plan: VaultPlan): Promise<KnownVault | null> {
  const { Pools } = await import('../../pool/pools.ts');
  const pools = new Pools(planPool(input, home), () => {});
  // Ending its thread fails the call at once.
  const interruption = watchSignals(() => void pools.close());
  // Runs also if another handler ends the process.
  const removeFiles = () => plan.files.remove(plan.keyStore === 'file', input.text('key-file'));
  process.once('exit', removeFiles);
  let code: NewCode | null = null;
  try {
    code = plan.hasRecovery
      ? await makeCode(input, (call) => pools.control({ ...call, mayReplace: false }))
      : null;
    const call = buildInit(input, home, plan, code?.body);
    const created = await pools.control({ ...call, mayReplace: false });
    if (interruption.signal !== null && !existsSync(home.databasePath))
      throw new CliError(exitCodeOfSignal(interruption.signal), 'stopped; no vault was made');
    const vault = readCreated(created);
    const told = { ...plan, hasRecovery: code !== null };
    const tell = (path: string) => tellCreated(input, { ...vault, db_path: path }, told);
    if (plan.onMade === undefined) tell(vault.db_path);
    else plan.onMade(tell);
    return parseKnownVault(vault.known);
  } catch (error) {
    removeFiles();
    if (!existsSync(home.databasePath)) code?.undo();
    throw error;
  } finally {
    code?.body.fill(0);
    process.off('exit', removeFiles);
    interruption.end();
    await pools.close();
  }
}

/** A daemon that makes its vault makes no code: nobody may be there. */
async function wantsCode(input: Input): Promise<boolean> {
  return input.command === 'init' && !input.flag('no-recovery') && (await canKeepCode(input));
}

/** A recovery code that the user has. */
interface NewCode {
  /** `{"recovery_code": …}`, which the caller zeroes. */
  readonly body: Uint8Array;
  /** Removes the file that it was written to. */
  readonly undo: () => void;
}

/** Returns null if the user wants none. */
async function makeCode(input: Input, control: Control): Promise<NewCode | null> {
  const made = await control({ operation: 'keys.newRecoveryCode', params: {}, body: null });
  if (!made.ok) throw new CliError(exitCodeOf(made.code), adviseOn(made, chooseReader('key')));
  const { body } = made;
  try {
    const undo = await handOver(input, readCode(body), true);
    if (undo === null) body.fill(0);
    return undo === null ? null : { body, undo };
  } catch (error) {
    body.fill(0);
    throw error;
  }
}

/** Throws CliError for an option or a variable that says no such thing. */
function planPool({ context, text, flag }: Input, home: Home): PoolOptions {
  return poolOptions(context, home, text('passphrase-file'), 0, null, flag('allow-tracer'));
}

/** Throws CliError if no vault was made. */
function readCreated(created: CallResult): Created {
  if (!created.ok) throw new CliError(exitCodeOf(created.code), adviseOn(created, chooseReader('key')));
  return JSON.parse(Buffer.from(created.body).toString());
}

/** Throws CliError for a kind that is not known, or an option of another kind. */
export function readKeyStore({ text }: Input): 'auto' | DailyKind {
  const given = text('key-store') ?? 'auto';
  const keyStore = KEY_STORE_NAMES.find((known) => known === given);
  if (keyStore === undefined) throw usageError(`--key-store must be one of ${KEY_STORE_NAMES.join(', ')}`);
  for (const [kind, { option }] of Object.entries(KEY_STORES))
    if (option !== undefined && text(option) !== undefined && keyStore !== kind)
      throw usageError(`--${option} goes with --key-store ${kind}`);
  return keyStore;
}

/** The keychain if it works; else a passphrase if somebody can be asked for one; else a key file. */
export async function chooseKeyStore({ context }: Input, home: Home): Promise<VaultPlan['keyStore']> {
  const { Pools } = await import('../../pool/pools.ts');
  const pools = new Pools(poolOptions(context, home, undefined, 0, null), () => {});
  try {
    const call = { operation: 'vault.probeKeychain', params: {}, body: null, mayReplace: false } as const;
    const probed = await pools.control(call);
    const { problem } = probed.ok
      ? JSON.parse(Buffer.from(probed.body).toString())
      : { problem: probed.message };
    if (problem === null) return 'keychain';
    context.say(`The OS keychain ${problem}.`);
    return context.canAsk ? 'passphrase' : 'file';
  } finally {
    await pools.close();
  }
}

/** Returns null if the vault's thread reads the passphrase from --passphrase-file. */
async function choosePassphrase(input: Input): Promise<VaultPlan['passphrase']> {
  await checkCanAsk(input);
  if (input.text('passphrase-file') !== undefined) return null;
  const { askNewPassphrase } = await import('../terminal/prompt.ts');
  return askNewPassphrase(input.context);
}

/** Throws CliError if there is neither a passphrase file nor a terminal to ask on. */
async function checkCanAsk({ context, text }: Input): Promise<void> {
  if (text('passphrase-file') !== undefined) return;
  const { canType } = await import('../terminal/prompt.ts');
  if (!context.canAskPassphrase || !canType())
    throw usageError('nobody can be asked for a passphrase here; give --passphrase-file');
}

function buildInit(
  input: Input,
  home: Home,
  { keyStore, passphrase }: VaultPlan,
  code: Uint8Array | undefined,
): Parameters<Control>[0] {
  const keyFile = input.text('key-file');
  const params = {
    key_store: keyStore,
    key_directory: home.keyDirectory,
    ...(keyFile === undefined ? {} : { key_file: resolve(keyFile) }),
  };
  if (keyStore === 'file' && keyFile === undefined && !isAbsolute(home.keyDirectory))
    throw new CliError(
      EXIT.failed,
      'HOME is not set, so a key file has no place of its own; give --key-file',
    );
  const isBare = passphrase === null && code === undefined;
  return { operation: 'vault.init', params, body: isBare ? null : joinBodies(passphrase ?? undefined, code) };
}

interface Created {
  readonly db_path: string;
  readonly key_store: SlotKind;
  readonly key_file?: string;
  readonly known: unknown;
}

function tellCreated(input: Input, created: Created, plan: VaultPlan): void {
  const { context, text, command } = input;
  const { isChosenByUs, hasRecovery } = plan;
  const { say } = context;
  const { describePlace, duty, warning } = KEY_STORES[created.key_store];
  say(`Made a vault at ${created.db_path}, its key in ${describePlace({ file: created.key_file })}.`);
  if (warning !== undefined && isChosenByUs) say(warning);
  if (duty !== undefined) say(duty);
  const file = text('recovery-file');
  if (file !== undefined)
    say(`Its recovery code is in ${file}: move that to a safe place, away from this machine.`);
  else if (!hasRecovery && command !== 'serve')
    say('It has no recovery code; make one with: mav key add recovery');
}
