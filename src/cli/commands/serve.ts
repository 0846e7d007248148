/** `mav serve`: the daemon, in the foreground. */
import { existsSync } from 'node:fs';
import type { KnownVault } from '../../../workers/messages.ts';
import type { CallResult } from '../../call-result.ts';
import type { SealingRules } from '../../daemon/self-sealing.ts';
import type { ServeOptions } from '../../daemon/serve.ts';
import type { LogOptions } from '../../log/log.ts';
import { checkAbove, describeNoVault, hasVault } from '../../places/home.ts';
import { findKnownVault, takeKnownVault } from '../../places/known-vaults.ts';
import { adviseOn, type Problem } from '../../remedies.ts';
import { nameVault } from '../../text/name-vault.ts';
import { quoteWord } from '../formats/shell-quote.ts';
import { checkPassphraseFile, refuseUntrusted } from '../input/passphrase-file.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, hasErrorCode, usageError } from '../run/failure.ts';
import { checkPlan, makeVault, planVault, type VaultPlan } from '../vault/create-vault.ts';
import { poolOptions } from '../vault/pool-options.ts';
import { chooseReader } from '../vault/remedy-readers.ts';
import { readSealingRules } from '../vault/sealing-rules.ts';

export const run: Run = async (input) => {
  const { home } = input;
  const log = chooseLog(input);
  const sealing = readSealingRules(input);
  // Before anything is started or left behind.
  if (!input.flag('init') && !hasVault(home)) throw new CliError(EXIT.failed, describeNoVault(home));
  const known = await launchProcess(input, sealing);
  const plan = existsSync(home.databasePath) ? null : await planVault(input, home);
  const { serve } = await import('../../daemon/serve.ts');
  try {
    return await serve(buildOptions(input, { log, sealing }, known, plan));
  } catch (error) {
    // The folder that was made for the new vault. If another process owns the vault's place by now, it needs the folder.
    if (!hasErrorCode(error, 'owned_elsewhere')) plan?.files.remove(false, undefined);
    throw error;
  }
};

/**
 * Goes on in a closed process, where there can be one, and returns what is known of the vault. A closed process may not look
 * at the places that are checked here: its launcher has done that and hands over what it found. Throws CliError,
 * UnsafePlaceError.
 */
async function launchProcess(input: Input, sealing: SealingRules | null): Promise<KnownVault | null> {
  const { context, home, text } = input;
  const { isClosed, launchClosed } = await import('../../daemon/launch.ts');
  if (isClosed()) return takeKnownVault(context.env);
  if (!existsSync(home.databasePath)) {
    checkPassphraseFile(input);
    await checkPlan(input, home);
  }
  const known = findKnownVault(home);
  checkAbove(home);
  refuseUntrusted(input);
  launchClosed(process.argv.slice(2), context.env, home, known, {
    passphraseFile: text('passphrase-file'),
    known: known?.slots.flatMap(({ location }) => location ?? []) ?? [],
    keyFile: text('key-file'),
    isListener: sealing !== null && sealing.on.length > 0,
  });
  return known;
}

/** `plan`: null where there is a vault already. */
function buildOptions(
  input: Input,
  { log, sealing }: Pick<ServeOptions, 'log' | 'sealing'>,
  known: KnownVault | null,
  plan: VaultPlan | null,
): ServeOptions {
  const { context, home, text, flag } = input;
  return {
    pool: poolOptions(context, home, text('passphrase-file'), null, known, flag('allow-tracer')),
    home,
    env: context.env,
    log,
    prepare: async () => {
      if (plan === null && existsSync(home.databasePath)) return { known, passphrase: null };
      if (plan === null) throw new CliError(EXIT.failed, describeNoVault(home));
      // The passphrase that was just chosen is not asked for again.
      return { known: await makeVault(input, home, plan), passphrase: plan.passphrase };
    },
    sealing,
    onSettled: async (vault, isHanded) => {
      if (!isHanded) refuseStrange(vault);
      await offerUnseal(input, vault);
    },
    hints: nameVault(describeUse(home.socketPath)),
  };
}

/** On a terminal the log is for people, elsewhere for programs. Throws CliError. */
function chooseLog({ context, text, flag }: Input): LogOptions {
  const format = text('log-format') ?? (context.isErrorTerminal ? 'text' : 'json');
  if (format !== 'text' && format !== 'json') throw usageError('--log-format must be text or json');
  return { format, hasRequests: format === 'json' || flag('log-requests'), isQuiet: context.isQuiet };
}

/**
 * Throws CliError where the vault is not the one that is known. A daemon that would stay sealed with it is of no use to
 * anybody; but where the service manager holds the socket, one has to tell its clients why.
 */
function refuseStrange({ sealedBecause: problem }: Pick<Sealable, 'sealedBecause'>): void {
  if (problem?.reason !== 'unknown_vault' && problem?.reason !== 'other_vault') return;
  throw new CliError(EXIT.sealed, adviseOn(problem, chooseReader('own')));
}

type Sealable = {
  readonly sealedBecause: Problem | null;
  unseal(body: Uint8Array<ArrayBuffer> | null): Promise<CallResult>;
};

/** On a terminal a vault that needs its passphrase asks for it, three times at most. */
async function offerUnseal({ context }: Input, vault: Sealable): Promise<void> {
  if (vault.sealedBecause?.reason !== 'needs_passphrase' || !context.canAsk) return;
  const { tryPassphrases } = await import('../input/passphrase.ts');
  await tryPassphrases(context, async (body) => {
    const answered = await vault.unseal(body);
    const isWrong = !answered.ok && answered.reason === 'wrong_passphrase';
    return isWrong ? { isWrong } : { isWrong: false, result: undefined };
  });
}

function describeUse(socketPath: string): string {
  return [
    'Make a token in another terminal (in a checkout: npx mav):',
    '  mav token create --name me --scope read,write',
    'Then try:',
    `  curl --unix-socket ${quoteWord(socketPath)} -H "Authorization: Bearer mvt_…" http://localhost/v1/secrets`,
  ].join('\n');
}
