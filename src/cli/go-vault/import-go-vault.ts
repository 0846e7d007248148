/** `mav import --from-maestrovault`: brings the vault of the Go program of this name over, with its own key. */
import { IMPORT_BODY_SIZE } from '../../routes.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { CliError, EXIT, type ExitCode } from '../run/failure.ts';
import type { ImportSource } from '../transfer/import-source.ts';
import { storeImport } from '../transfer/store-import.ts';
import { refuseToken } from '../vault/access.ts';
import { aboutGoVault, tellGoVault } from './describe-go-vault.ts';
import { locateGoVault } from './locate.ts';
import { type GoVault, readGoVault } from './read-go-vault.ts';
import { replaceGoVault } from './replace-go-vault.ts';

const MIB = 1_048_576;

/**
 * A vault that lies where mav's belongs is replaced by a new one. Another is imported into the vault of mav, through its daemon
 * if one runs. The vault is read by this process in either case, because the daemon may not read other folders.
 */
export async function importGoVault(input: Input): Promise<ExitCode> {
  refuseToken(input, "import the Go program's vault");
  const { path, isInPlace } = locateGoVault(input);
  if (isInPlace) return replaceGoVault(input);
  let vault: GoVault | null = null;
  try {
    return await storeImport(input, `--from-maestrovault ${path}`, async () => {
      vault = await readGoVault(input, path);
      tellGoVault(input.context, vault.report);
      return toSource(path, vault);
    });
  } finally {
    (vault as GoVault | null)?.body.fill(0);
  }
}

/** Throws CliError if it is more than one request takes, which would be all or nothing. */
function toSource(path: string, { body, report }: GoVault): ImportSource {
  if (body.length > IMPORT_BODY_SIZE) {
    const [has, most] = [body.length, IMPORT_BODY_SIZE].map((size) => Math.ceil(size / MIB));
    throw new CliError(
      EXIT.failed,
      `${path} has ${has} MiB of secrets, and an import into a vault that is there takes ${most}; nothing was imported`,
    );
  }
  return {
    name: path,
    body,
    places: report.secrets.map(({ name, environment }) => describeSecret(name, environment)),
    about: aboutGoVault(path, report),
    isComparedAfter: true,
  };
}
