/** `mav verify`: opens every row of the vault, and says what is damaged. */
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../run/failure.ts';
import { withVault } from '../vault/access.ts';
import { printReport } from '../vault/check-report.ts';
import { checkShowing } from '../vault/check-vault.ts';

export const run: Run = async (input) => {
  const [file] = input.args;
  if (file !== undefined) return verifyBackup(input, file);
  if (input.text('recovery-file') !== undefined) throw usageError('--recovery-file goes with a FILE');
  const report = await withVault(input, (client) => checkShowing(input, client));
  await printReport(input, report);
  const { length: count } = report.damaged;
  if (count === 0) return EXIT.done;
  throw new CliError(EXIT.failed, `${count === 1 ? '1 row is' : `${count} rows are`} damaged`);
};

async function verifyBackup(input: Input, file: string): Promise<ExitCode> {
  const [{ withUnpacked }, { withOpenedBackup }] = await Promise.all([
    import('../backup/unpack.ts'),
    import('../backup/open-unpacked.ts'),
  ]);
  return withUnpacked(input.home, file, (unpacked) =>
    withOpenedBackup(input, unpacked, async ({ report, isGenuine }) => {
      await printReport(input, report);
      if (!isGenuine)
        throw new CliError(
          EXIT.failed,
          `${file} is not what was backed up: it is damaged, or was changed by somebody without the key`,
        );
      if (report.damaged.length > 0)
        throw new CliError(EXIT.failed, `${file} has damaged rows, as the vault had when it was made`);
      return EXIT.done;
    }),
  );
}
