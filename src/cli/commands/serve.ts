/** `mav serve`: the daemon, in the foreground. */
import { existsSync } from 'node:fs';
import { type Home, hasVault } from '../../home.ts';
import type { LogOptions } from '../../log.ts';
import type { Input, Run } from '../command.ts';
import { createVault } from '../create-vault.ts';
import { CliError, EXIT, usageError } from '../failure.ts';
import { poolOptions } from '../vault-options.ts';

export const run: Run = async (input) => {
  const { context, home, text } = input;
  const log = chooseLog(input);
  // Before anything is started or left behind.
  if (!input.flag('init') && !hasVault(home)) throw explainNoVault(home);
  const { isClosed, launchClosed } = await import('../../daemon/launch.ts');
  if (!isClosed()) launchClosed(process.argv.slice(2), context.env, home);
  const { serve } = await import('../../daemon/serve.ts');
  return serve({
    pool: poolOptions(context, home, text('passphrase-file'), null),
    home,
    env: context.env,
    log,
    prepare: async () => {
      if (existsSync(home.databasePath)) return;
      if (!input.flag('init')) throw explainNoVault(home);
      await createVault(input, home);
    },
    onSettled: (vault) => offerUnseal(input, vault),
    hints: describeUse(home.socketPath),
  });
};

/** On a terminal the log is for people, elsewhere for programs. Throws CliError. */
function chooseLog({ context, text, flag }: Input): LogOptions {
  const format = text('log-format') ?? (context.isErrorTerminal ? 'text' : 'json');
  if (format !== 'text' && format !== 'json') throw usageError('--log-format must be text or json');
  return { format, hasRequests: format === 'json' || flag('log-requests'), isQuiet: context.isQuiet };
}

function explainNoVault({ databasePath }: Home): CliError {
  return new CliError(EXIT.failed, `there is no vault at ${databasePath}; make one: mav init`);
}

type Sealable = {
  readonly sealedBecause: string | null;
  unseal(body: Uint8Array<ArrayBuffer> | null): Promise<unknown>;
};

/** On a terminal a vault that needs its passphrase asks for it, three times at most. */
async function offerUnseal({ context }: Input, vault: Sealable): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    if (!vault.sealedBecause?.includes('passphrase') || !context.canAsk) return;
    const { askPassphrase } = await import('../prompt.ts');
    await vault.unseal(await askPassphrase('Passphrase: '));
  }
}

function describeUse(socketPath: string): string {
  return [
    'Make a token in another terminal (in a checkout: npx mav):',
    '  mav token create --name me --scope read,write',
    'Then try:',
    `  curl --unix-socket ${quote(socketPath)} -H "Authorization: Bearer mvt_…" http://localhost/v1/secrets`,
  ].join('\n');
}

/** For a POSIX shell. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
