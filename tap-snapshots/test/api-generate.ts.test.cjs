/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-generate.ts > TAP > passwords.generate > no body, empty body, empty object, all null > the defaults > no body 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"password":"<password>","stored":false,"entropy_bits":206.6}
`

exports[`test/api-generate.ts > TAP > passwords.generate > out of the rules > 400 and nothing stored > messages 1`] = `
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

exports[`test/api-generate.ts > TAP > passwords.generate > with a name > stored, with environment and metadata > with a name 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"password":"<password>","name":"made/ü","stored":true,"entropy_bits":26457.8}
`
