/**
 * Puts a vault of mav in the place of the Go program's. The new one is made beside it, and is complete and compared before it takes
 * the place.
 */
import { statSync } from 'node:fs';
import { isAlive } from '../../client/alive.ts';
import type { ImportResult } from '../../client/types.ts';
import { type Home, secureHome } from '../../places/home.ts';
import { checkPassphraseFile } from '../input/passphrase-file.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, type ExitCode } from '../run/failure.ts';
import { exitCodeOfSignal, watchSignals } from '../terminal/interruption.ts';
import { reportImport, requestImport } from '../transfer/store-import.ts';
import { makeVault, planVault } from '../vault/create-vault.ts';
import { aboutGoVault, tellGoVault } from './describe-go-vault.ts';
import { locateDraft, placeDraft, removeDraft, useDraft } from './draft-vault.ts';
import { keptPath } from './locate.ts';
import { type GoVault, readGoVault } from './read-go-vault.ts';

export async function replaceGoVault(input: Input): Promise<ExitCode> {
  const { home, flag } = input;
  const draft = locateDraft(home);
  checkPassphraseFile(input);
  secureHome(draft);
  checkKept(home);
  if (await isAlive(home.socketPath))
    throw new CliError(
      EXIT.failed,
      `a program listens on ${home.socketPath}; end the Go program's daemon, and try again; nothing was changed`,
    );
  const { releaseOwnership, takeOwnership } = await import('../../daemon/ownership.ts');
  takeOwnership(home, 'import');
  try {
    await removeDraft(input, draft);
    const vault = await readGoVault(input, home.databasePath);
    try {
      return flag('dry-run') ? reportPlan(input, vault) : await replaceBy(input, draft, vault);
    } finally {
      vault.body.fill(0);
    }
  } finally {
    releaseOwnership(home);
  }
}

/** What an earlier import kept must not be lost. A run that was killed may have given the vault's file its second name already. */
function checkKept(home: Home): void {
  const kept = keptPath(home);
  const [there, own] = [kept, home.databasePath].map((path) => statSync(path, { throwIfNoEntry: false }));
  if (there === undefined || (there.ino === own?.ino && there.dev === own.dev)) return;
  throw new CliError(EXIT.failed, `${kept} is there already; move it away; nothing was changed`);
}

function reportPlan(input: Input, { report }: GoVault): ExitCode {
  const { context, home } = input;
  tellGoVault(context, report);
  context.say(`A new vault would take its place, and it would stay as ${keptPath(home)}.`);
  const result = { dry_run: true, added: [...report.secrets], changed: [], unchanged: [] };
  return reportImport(input, result, { about: aboutGoVault(home.databasePath, report) }, context.print);
}

async function replaceBy(input: Input, draft: Home, vault: GoVault): Promise<ExitCode> {
  const { context, home } = input;
  const [path, kept] = [home.databasePath, keptPath(home)];
  tellGoVault(context, vault.report);
  const interruption = watchSignals(() => {});
  try {
    const filled = await fill(input, draft, vault, () => {
      if (interruption.signal !== null)
        throw new CliError(exitCodeOfSignal(interruption.signal), 'stopped; nothing was replaced');
    });
    await placeDraft(input, draft, { path, kept, digest: vault.report.digest });
    filled.tell(path);
    context.say(`The Go program's vault is ${kept} now.`);
    return reportImport(
      input,
      filled.result,
      { about: { ...aboutGoVault(path, vault.report), kept } },
      context.say,
    );
  } finally {
    // What was placed is no draft any more.
    await removeDraft(input, draft);
    interruption.end();
  }
}

interface Filled {
  readonly result: ImportResult;
  /** Tells the user of the new vault. */
  readonly tell: (path: string) => void;
}

/**
 * Makes the new vault, stores everything in it, and compares it when it was closed and opened again. `checkWanted` throws if the
 * user wants it no more.
 */
async function fill(
  input: Input,
  draft: Home,
  { body, report }: GoVault,
  checkWanted: () => void,
): Promise<Filled> {
  const own = forNewVault(input, draft);
  const plan = await planVault(own, draft);
  let tell: Filled['tell'] = () => {};
  const request = async (isDryRun: boolean): Promise<ImportResult> => {
    if (report.secrets.length === 0) return { dry_run: isDryRun, added: [], changed: [], unchanged: [] };
    const doing = isDryRun ? "Comparing secrets with the Go program's" : 'Storing secrets';
    return useDraft(own, plan, doing, (client) => requestImport(client, { body }, { isDryRun }));
  };
  try {
    await makeVault(own, draft, { ...plan, onMade: (given) => (tell = given) });
    checkWanted();
    const result = await request(false);
    checkWanted();
    const compared = await request(true);
    if (compared.unchanged.length !== report.secrets.length)
      throw new CliError(EXIT.failed, 'the new vault does not hold what was imported; nothing was replaced');
    checkWanted();
    return { result, tell };
  } finally {
    plan.passphrase?.fill(0);
  }
}

/** `--key-file` names the Go program's key, so the new vault's key file gets the usual place. */
function forNewVault(input: Input, home: Home): Input {
  return { ...input, home, text: (option) => (option === 'key-file' ? undefined : input.text(option)) };
}
