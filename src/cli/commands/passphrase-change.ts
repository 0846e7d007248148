/** `mav passphrase change`: puts the vault under another passphrase. */
import type { Client } from '../../client/client.ts';
import { chooseNewPassphrase } from '../input/new-passphrase.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { changeKeys } from '../vault/change-keys.ts';
import { joinBodies } from '../vault/join-bodies.ts';

export const run: Run = async (input) => {
  const change = new Change(input);
  try {
    await changeKeys(input, (client, body) => change.request(client, body), { needsPassphrase: true });
  } finally {
    change.wipe();
  }
  input.context.say('The passphrase is changed. Copies of the vault still open with the old one.');
  return EXIT.done;
};

/** The new passphrase is asked for once, after the old one, however often the old one is wrong. */
class Change {
  readonly #input: Input;
  #chosen: object | null = null;

  constructor(input: Input) {
    this.#input = input;
  }

  /** `body` has the old passphrase. */
  async request(client: Client, body: unknown): Promise<void> {
    if (!(await client.status()).key_stores.includes('passphrase'))
      throw new CliError(EXIT.failed, 'the vault has no passphrase; add one with: mav key add passphrase');
    this.#chosen ??= await chooseNewPassphrase(this.#input);
    await client.changePassphrase(joinBodies(body, this.#chosen));
  }

  wipe(): void {
    if (this.#chosen instanceof Uint8Array) this.#chosen.fill(0);
  }
}
