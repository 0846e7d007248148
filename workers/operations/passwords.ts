/** The handler of generated passwords and passphrases. Holds one, as bytes, until it is in the reply, and zeroes it then. */
import { getTerms } from '../bodies/due-dates.ts';
import type { BodyHandler } from '../calls.ts';
import {
  findForWrite,
  type Metadata,
  NO_METADATA,
  NO_TERMS,
  storeSecret,
  type Terms,
} from '../entries/entries.ts';
import { checkStoredSize } from '../entries/entry-size.ts';
import { RequestError } from '../errors/request-error.ts';
import { entropyBits } from '../generated/entropy.ts';
import { drawPassword } from '../generated/password.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import type { Call, SecretName } from '../messages.ts';
import type { WritableVault } from '../open-vault.ts';

export const generatePassword: BodyHandler<'passwords.generate'> = (vault, call, reply, request) => {
  const { name, environment, metadata = NO_METADATA } = request;
  const terms = { ...NO_TERMS, ...getTerms(request) };
  const { password, outcomes } = drawPassword(request);
  try {
    if (name !== undefined) storePassword(vault, call, { name, environment }, password, metadata, terms);
    reply.ascii('{"password":');
    reply.secret(password);
    if (name !== undefined) {
      reply.ascii(',"name":');
      reply.string(name);
    }
    reply.ascii(name === undefined ? ',"stored":false' : ',"stored":true');
    reply.ascii(`,"entropy_bits":${entropyBits(outcomes)}}`);
  } finally {
    password.fill(0);
  }
};

function storePassword(
  vault: WritableVault,
  call: Call,
  name: SecretName,
  password: SecretBytes,
  metadata: Metadata,
  terms: Terms,
): void {
  const existing = findForWrite(vault, call, name);
  if (existing !== null && !call.mayReplace) {
    throw new RequestError('forbidden', 'this secret exists; replacing it needs the scope write');
  }
  checkStoredSize(vault, storeSecret(vault, name, existing, password, metadata, terms), 'metadata');
}
