/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/doctor.ts > TAP > doctor > a killed daemon > its socket and session are named, and no failure > must match snapshot 1`] = `
Array [
  "daemon warn nobody listens on FOLDER/vault/maestrovault.sock: a daemon was killed; the next mav serve takes it over",
  "session warn a killed daemon left FOLDER/vault/maestrovault.sock.session, which is of no use; the next mav serve replaces it",
]
`

exports[`test/doctor.ts > TAP > doctor > nothing wrong > one line for each check, exit 0, and nothing changed > no vault 1`] = `
ok    program      MaestroVault VERSION on Node VERSION (it needs >=24.7)
warn  PATH …
ok    environment …
ok    clock        TIME
ok    swap …
ok    debuggers …
warn  folder       there is no vault in FOLDER/vault; make one: mav init
ok    folders      those above the vault and its socket are closed to others
ok    git          the folder is in no git work tree
ok    sync         the folder seems to be copied nowhere
ok    config.json  absent or valid
ok    socket path  FOLDER/vault/maestrovault.sock
ok    disk …
ok    daemon       none runs; commands open the vault by themselves

`

exports[`test/doctor.ts > TAP > doctor > nothing wrong > one line for each check, exit 0, and nothing changed > with a daemon 1`] = `
ok    program      MaestroVault VERSION on Node VERSION (it needs >=24.7)
warn  PATH …
ok    environment …
ok    clock        TIME
ok    swap …
ok    debuggers …
ok    folder       FOLDER/vault is yours and closed to others
ok    files        FOLDER/vault/vault.db is yours and closed to others
ok    files        FOLDER/vault/vault.db-wal is yours and closed to others
ok    files        FOLDER/vault/vault.db-shm is yours and closed to others
ok    folders      those above the vault and its socket are closed to others
ok    known vault  the vault VAULT-ID, its key kept in: file FOLDER/home/.config/maestrovault/VAULT-ID.key; so says FOLDER/home/.config/maestrovault/known-vaults.json
ok    git          the folder is in no git work tree
ok    sync         the folder seems to be copied nowhere
ok    config.json  absent or valid
ok    socket path  FOLDER/vault/maestrovault.sock
ok    disk …
ok    daemon       listens on FOLDER/vault/maestrovault.sock
ok    session      FOLDER/vault/maestrovault.sock.session is yours and closed to others
ok    core dumps …
ok    protections …
ok    version      the daemon is of this version, VERSION
ok    key file     FOLDER/home/.config/maestrovault/VAULT-ID.key is yours and closed to others
warn  recovery     without a recovery code the vault is lost with its key; make one with: mav key add recovery
ok    key store    file: gave the vault's key
ok    database     it is sound, and has the rows that were stored
ok    entries      everything opens (secrets: 0, fields: 0, tokens: 1)
ok    entry times  none is in the future
ok    due dates    no secret is past one

`

exports[`test/doctor.ts > TAP > doctor > nothing wrong > one line for each check, exit 0, and nothing changed > without a daemon 1`] = `
ok    program      MaestroVault VERSION on Node VERSION (it needs >=24.7)
warn  PATH …
ok    environment …
ok    clock        TIME
ok    swap …
ok    debuggers …
ok    folder       FOLDER/vault is yours and closed to others
ok    files        FOLDER/vault/vault.db is yours and closed to others
ok    folders      those above the vault and its socket are closed to others
ok    known vault  the vault VAULT-ID, its key kept in: file FOLDER/home/.config/maestrovault/VAULT-ID.key; so says FOLDER/home/.config/maestrovault/known-vaults.json
ok    git          the folder is in no git work tree
ok    sync         the folder seems to be copied nowhere
ok    config.json  absent or valid
ok    socket path  FOLDER/vault/maestrovault.sock
ok    disk …
ok    daemon       none runs; commands open the vault by themselves
ok    key file     FOLDER/home/.config/maestrovault/VAULT-ID.key is yours and closed to others
warn  recovery     without a recovery code the vault is lost with its key; make one with: mav key add recovery
ok    key store    file: gave the vault's key
ok    database     it is sound, and has the rows that were stored
ok    entries      everything opens (secrets: 0, fields: 0, tokens: 0)
ok    entry times  none is in the future
ok    due dates    no secret is past one

`

exports[`test/doctor.ts > TAP > doctor > something wrong > says what, and what to do > must match snapshot 1`] = `
{
  "the key file is open to others": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "key file FAIL FOLDER/home/.config/maestrovault/VAULT-ID.key is open to other users; run: chmod 600 FOLDER/home/.config/maestrovault/VAULT-ID.key",
      "vault FAIL sealed, so its entries were not checked: the key file FOLDER/home/.config/maestrovault/VAULT-ID.key is open to other users; run chmod 400 on it, then try again"
    ]
  },
  "the key file is gone": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "key file FAIL FOLDER/home/.config/maestrovault/VAULT-ID.key is not there; put your copy of it back, then try again",
      "vault FAIL sealed, so its entries were not checked: the key file FOLDER/home/.config/maestrovault/VAULT-ID.key is not there; put your copy of it back, then try again"
    ]
  },
  "the key file is another file": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "key file FAIL FOLDER/home/.config/maestrovault/VAULT-ID.key is not a root key of 32 bytes; put the right one back, then try again",
      "vault FAIL sealed, so its entries were not checked: the key file FOLDER/home/.config/maestrovault/VAULT-ID.key is not a root key of 32 bytes; put the right one back, then try again"
    ]
  },
  "the database is open to others": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "files FAIL FOLDER/vault/vault.db is open to other users; run: chmod 600 FOLDER/vault/vault.db"
    ]
  },
  "the folder is open to others": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "folder FAIL FOLDER/vault is open to other users; run: chmod 700 FOLDER/vault"
    ]
  },
  "config.json": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "config.json FAIL FOLDER/vault/config.json, line 1, column 2: unknown key \\"sokcet\\"; known are socket, env, protected, output, clear, max_fields, max_entry_bytes, keep_versions, keep_deleted_days, audit, keep_audit_days, idle_seal, max_unsealed, seal_on, auto_unseal"
    ]
  },
  "the socket path is too long": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "socket path FAIL the socket's path takes 142 bytes and this system allows 107; choose a shorter --socket"
    ]
  },
  "a file in place of the socket": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "daemon FAIL FOLDER/vault/maestrovault.sock is no socket, and in its place; move it away"
    ]
  },
  "a malformed token": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "vault FAIL MAV_TOKEN is not a token (mvt_ and 64 hex digits, nothing else); set it to a token, or unset it"
    ]
  },
  "a git work tree": {
    "code": 0,
    "isWell": true,
    "complaints": [
      "git warn the folder is in the git work tree FOLDER; move it, or never commit it"
    ]
  },
  "a symbolic link": {
    "code": 1,
    "isWell": false,
    "complaints": [
      "folder FAIL FOLDER/link is a symbolic link; use the real folder",
      "socket path FAIL FOLDER/link is a symbolic link; use the real folder"
    ]
  }
}
`
