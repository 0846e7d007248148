/** What changes a whole vault, while the store of its key is gone: it says which, nothing is changed, and it works when that is back. */
import { readFileSync, rmSync } from 'node:fs';
import t from 'tap';
import { mav } from '../fixtures/vault.ts';
import { COMMAND_NAMES, makeSubject, type Subject } from '../fixtures/vault-changes.ts';

t.jobs = 2;
t.setTimeout(900_000);

/** Those that make a new key are told to put it into a keychain, and none is there. */
function loseStore({ key, args }: Subject): { readonly args: readonly string[]; readonly says: RegExp } {
  const at = args.indexOf('--key-store');
  if (at >= 0) return { args: args.with(at + 1, 'keychain'), says: /keychain/ };
  const given = args.indexOf('--passphrase-file');
  rmSync(args[given + 1] ?? key, { force: true });
  if (given >= 0) rmSync(args[given + 1] ?? '', { force: true });
  rmSync(key, { force: true });
  return { args, says: /is not there|passphrase|cannot be read/ };
}

for (const name of COMMAND_NAMES) {
  t.test(`${name} > the key store is gone > said, nothing changed, and done when it is back`, async (t) => {
    const subject = await makeSubject(t, name);
    const { sandbox, args, findMissing, reset } = subject;
    const before = readFileSync(sandbox.databasePath);
    const lost = loseStore(subject);
    const { code, stderr } = await mav(sandbox, lost.args);
    t.not(code, 0);
    t.match(stderr, lost.says);
    t.ok(readFileSync(sandbox.databasePath).equals(before), 'the vault is as it was');
    reset();
    t.match(await mav(sandbox, args), { code: 0 }, 'done');
    t.equal(await findMissing(), null);
  });
}
