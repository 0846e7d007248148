/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/keychain-commands.ts > TAP > keychain > a real Secret Service > destroy > the key lies in the keychain > it goes, and no other > must match snapshot 1`] = `
This will be deleted:
  the vault FOLDER/vault/vault.db with 0 secrets and all tokens
  its key in the OS keychain (service MaestroVault, account root-key:VAULT-ID:…)
Its daemon will end.
The vault is destroyed.

`
