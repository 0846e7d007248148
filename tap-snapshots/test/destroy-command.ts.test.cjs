/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/destroy-command.ts > TAP > destroy > nobody can be asked > exit 2, and all is as it was > must match snapshot 1`] = `
This will be deleted:
  the vault FOLDER/vault/vault.db with 1 secret and all tokens
  its key file FOLDER/home/.config/maestrovault/VAULT-ID.key
mav: Delete all of this for ever? Nobody can be asked here; give --force

`

exports[`test/destroy-command.ts > TAP > destroy > on a terminal > asks for the word > must match snapshot 1`] = `
This will be deleted:
  the vault FOLDER/vault/vault.db with 0 secrets and all tokens
  its key file FOLDER/home/.config/maestrovault/VAULT-ID.key
Delete all of this for ever? Type destroy to go on: destroy
The vault is destroyed.

`

exports[`test/destroy-command.ts > TAP > destroy > sealed, its passphrase unknown > destroyed all the same > must match snapshot 1`] = `
This will be deleted:
  the vault FOLDER/vault/vault.db with secrets (sealed, so how many is not known) and all tokens
  its key under your passphrase
The vault is destroyed.

`

exports[`test/destroy-command.ts > TAP > destroy > with a daemon > it ends, and leaves nothing > must match snapshot 1`] = `
This will be deleted:
  the vault FOLDER/vault/vault.db with 0 secrets and all tokens
  its key file FOLDER/home/.config/maestrovault/VAULT-ID.key
Its daemon will end.
The vault is destroyed.

`
