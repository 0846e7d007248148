/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-tokens.ts > TAP > health > no token, any token > 200 with the time > must match snapshot 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"ok","time":"<time>"}
`

exports[`test/api-tokens.ts > TAP > tokens.create > out of the rules > 400 and no token > messages 1`] = `
expires_in 24: "expires_in" must be a string such as "24h"
expires_in 0: "expires_in" must be a string such as "24h"
expires_in true: "expires_in" must be a string such as "24h"
expires_in []: "expires_in" must be a string such as "24h"
expires_in "": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in " ": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "24": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "0s": "expires_in" must be at least one second, or "0" for no expiry
expires_in "0h": "expires_in" must be at least one second, or "0" for no expiry
expires_in "0d0h": "expires_in" must be at least one second, or "0" for no expiry
expires_in "00": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "0.0": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "0.4s": "expires_in" must be at least one second, or "0" for no expiry
expires_in "-1h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "-0": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "+1h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1h ": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in " 1h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1 h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1h-30m": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1x": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1y": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "100ms": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1H": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1e3h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "0x10h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1,5h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in ".5h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "5.h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "١h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "1h1h": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "Infinity": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "NaN": "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "101w52d101w52d101w52d101w52d1: "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
expires_in "99999999999999999999h": "expires_in" must be at most 100 years
expires_in "36526d": "expires_in" must be at most 100 years
expires_in "5219w": "expires_in" must be at most 100 years
expires_in "99999999999999999999999999999: "expires_in" must be a duration such as "24h", "30d" or "1h30m", or "0" for no expiry
no name: "name" is required
null name: "name" is required
empty name: "name" must not be empty
number name: "name" must be a string
control character in the name: "name" must not have control characters
name of 513 bytes: "name" must be at most 512 bytes long
no scopes: "scopes" is required
null scopes: "scopes" is required
empty scopes: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
scopes no list: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
unknown scope: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
scope in capitals: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
the command line's own scope: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
joined scopes: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
empty scope: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
null scope: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
nested scope: "scopes" must be a non-empty list of "read", "write", "generate", "admin"
unknown member: unknown member "scope"
no body: a JSON body is required
`

exports[`test/api-tokens.ts > TAP > tokens.create, tokens.list, tokens.revoke > a token > as in the contract > create 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"token":"<token>","id":"<id>","name":"ci ✓","scopes":["read","generate"],"trusted":false,"confirm":"never","limits":[],"max_uses":null,"uses":0,"not_before":null,"expires_at":"<time>"}
`

exports[`test/api-tokens.ts > TAP > tokens.create, tokens.list, tokens.revoke > a token > as in the contract > one of the list 1`] = `
{"id":"<id>","name":"ci ✓","scopes":["read","generate"],"trusted":false,"confirm":"never","limits":[],"max_uses":null,"uses":0,"not_before":null,"expires_at":"<time>","created_at":"<time>","last_used_at":null}
`

exports[`test/api-tokens.ts > TAP > tokens.create, tokens.list, tokens.revoke > a token > as in the contract > revoke 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"revoked","id":"<id>"}
`

exports[`test/api-tokens.ts > TAP > vault.info > any time > where the vault lies, its size and how many secrets > must match snapshot 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"dir":"<path>","db_path":"<path>","db_size_bytes":<size>,"secret_count":<count>,"due_count":0,"deleted_count":0,"version_count":0,"history_bytes":0,"keep_versions":10,"keep_deleted_days":30,"rotation":null}
`
