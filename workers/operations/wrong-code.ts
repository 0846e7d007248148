/** What somebody is told whose recovery code does not open the vault. */
import { BodyError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';

/** As `opening`, but rejects with a BodyError that names the member `recovery_code` if no slot opens with the code. */
export async function explainWrongCode<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof SealedError) || error.reason !== 'unusable') throw error;
    throw new BodyError('the recovery code is wrong: it is not that of this vault, or the vault has none', {
      member: 'recovery_code',
    });
  }
}
