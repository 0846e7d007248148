/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/status.ts > TAP > status > a passphrase, on a terminal > nobody is asked > must match snapshot 1`] = `
daemon     not running
state      sealed: the vault needs its passphrase; give --passphrase-file FILE, or start the daemon: mav serve
key store  passphrase
recovery   no recovery code; make one with: mav key add recovery
folder     FOLDER/vault
database   FOLDER/vault/vault.db (SIZE)
socket     FOLDER/vault/maestrovault.sock

`

exports[`test/status.ts > TAP > status > no vault > says what to do, exit 1 > json 1`] = `
{"daemon":"not running","daemon_pid":null,"daemon_since":null,"state":"no vault","sealed":null,"damaged":null,"changed":null,"changed_rows":null,"replaced":null,"idle_seal_at":null,"max_unsealed_at":null,"unheard":null,"reason":"there is no vault at FOLDER/vault/vault.db; make one: mav init","vault_id":null,"key_stores":null,"key_file":null,"kek_generation":null,"kek_wraps":null,"old_kek_generations":null,"rotation":null,"secret_count":null,"due_count":null,"deleted_count":null,"version_count":null,"history_bytes":null,"keep_versions":null,"keep_deleted_days":null,"folder":"FOLDER/vault","database":null,"database_size_bytes":null,"socket":"FOLDER/vault/maestrovault.sock"}

`

exports[`test/status.ts > TAP > status > no vault > says what to do, exit 1 > table 1`] = `
daemon     not running
state      no vault: there is no vault at FOLDER/vault/vault.db; make one: mav init
folder     FOLDER/vault
socket     FOLDER/vault/maestrovault.sock

`

exports[`test/status.ts > TAP > status > with a daemon > says which process, and since when > must match snapshot 1`] = `
daemon     running: process PID, since TIME
state      unsealed
key store  file FOLDER/home/.config/maestrovault/VAULT-ID.key
recovery   no recovery code; make one with: mav key add recovery
secrets    0
history    nothing yet
folder     FOLDER/vault
database   FOLDER/vault/vault.db (SIZE)
socket     FOLDER/vault/maestrovault.sock

`

exports[`test/status.ts > TAP > status > without a daemon > opens the vault by itself, exit 0 > json 1`] = `
{"daemon":"not running","daemon_pid":null,"daemon_since":null,"socket":"FOLDER/vault/maestrovault.sock","state":"unsealed","sealed":false,"damaged":false,"changed":false,"changed_rows":null,"replaced":false,"idle_seal_at":null,"max_unsealed_at":null,"unheard":null,"reason":null,"vault_id":"VAULT-ID","key_stores":["file"],"key_file":"FOLDER/home/.config/maestrovault/VAULT-ID.key","kek_generation":1,"kek_wraps":65536,"old_kek_generations":[],"rotation":null,"secret_count":1,"due_count":0,"deleted_count":0,"version_count":0,"history_bytes":0,"keep_versions":10,"keep_deleted_days":30,"folder":"FOLDER/vault","database":"FOLDER/vault/vault.db","database_size_bytes":SIZE}

`

exports[`test/status.ts > TAP > status > without a daemon > opens the vault by itself, exit 0 > table 1`] = `
daemon     not running
state      unsealed
key store  file FOLDER/home/.config/maestrovault/VAULT-ID.key
recovery   no recovery code; make one with: mav key add recovery
secrets    1
history    nothing yet
folder     FOLDER/vault
database   FOLDER/vault/vault.db (SIZE)
socket     FOLDER/vault/maestrovault.sock

`
