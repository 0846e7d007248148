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

exports[`test/api-tokens.ts > TAP > passwords.generate > no body, empty body, empty object, all null > the defaults > no body 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"password":"<password>","stored":false,"entropy_bits":206.6}
`

exports[`test/api-tokens.ts > TAP > passwords.generate > out of the rules > 400 and nothing stored > messages 1`] = `
length 0: "length" must be a whole number from 1 to 4096
length -1: "length" must be a whole number from 1 to 4096
length 4097: "length" must be a whole number from 1 to 4096
length 1e9: "length" must be a whole number from 1 to 4096
length 1.5: "length" must be a whole number from 1 to 4096
length as text: "length" must be a whole number from 1 to 4096
length true: "length" must be a whole number from 1 to 4096
length below the four sets: "length" must be at least 4, one for each character set
length below the two sets: "length" must be at least 2, one for each character set
no set: at least one of "uppercase", "lowercase", "digits" and "symbols" must be true
a set as text: "digits" must be true or false
a set as number: "digits" must be true or false
empty name: "name" must not be empty
number name: "name" must be a string
control character in the name: "name" must not have control characters
name of 513 bytes: "name" must be at most 512 bytes long
number environment: "environment" must be a string
environment of 513 bytes: "environment" must be at most 512 bytes long
metadata no object: "metadata" must be an object
metadata as text: "metadata" must be an object
unknown member: unknown member "value"
unknown member env: unknown member "env"
words 0: "words" must be a whole number from 1 to 64
words 65: "words" must be a whole number from 1 to 64
words 1.5: "words" must be a whole number from 1 to 64
words as text: "words" must be a whole number from 1 to 64
words and length: "length" must not stand beside "words"
words and a set: "digits" must not stand beside "words"
words and the default of a set: "symbols" must not stand beside "words"
a delimiter without words: "delimiter" needs "words" beside it
number delimiter: "delimiter" must be a string
delimiter of 17 bytes: "delimiter" must be at most 16 bytes long
control character in the delimiter: "delimiter" must not have control characters
a list: the body must be a JSON object
text: the body must be a JSON object
null: the body must be a JSON object
`

exports[`test/api-tokens.ts > TAP > passwords.generate > with a name > stored, with environment and metadata > with a name 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"password":"<password>","name":"made/ü","stored":true,"entropy_bits":26457.8}
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

{"token":"<token>","id":"<id>","name":"ci ✓","scopes":["read","generate"],"trusted":false,"expires_at":"<time>"}
`

exports[`test/api-tokens.ts > TAP > tokens.create, tokens.list, tokens.revoke > a token > as in the contract > one of the list 1`] = `
{"id":"<id>","name":"ci ✓","scopes":["read","generate"],"trusted":false,"created_at":"<time>","expires_at":"<time>","last_used_at":null}
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

{"dir":"<path>","db_path":"<path>","db_size_bytes":<size>,"secret_count":<count>}
`
