/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/import.ts > TAP > import > on a terminal, nothing is kept > asks before it changes, and only then > must match snapshot 1`] = `
To add: 0
To change: 1 (a)
Already so: 0
Change a secret that exists (a)? [y/N] y
Added: 0
Changed: 1 (a)
Already so: 0

`

exports[`test/import.ts > TAP > import > over secrets that would not be kept > says what it will do; refused without --force, and nothing is done > dry run 1`] = `
To add: 1 (new)
To change: 1 (other)
Already so: 1 (same)

`

exports[`test/import.ts > TAP > import > over secrets that would not be kept > says what it will do; refused without --force, and nothing is done > dry run as JSON 1`] = `
Object {
  "added": Array [
    Object {
      "environment": "",
      "name": "new",
    },
  ],
  "changed": Array [
    Object {
      "environment": "",
      "name": "other",
    },
  ],
  "dry_run": true,
  "unchanged": Array [
    Object {
      "environment": "",
      "name": "same",
    },
  ],
}
`

exports[`test/import.ts > TAP > import > over secrets that would not be kept > says what it will do; refused without --force, and nothing is done > forced 1`] = `
Added: 1 (new)
Changed: 1 (other)
Already so: 1 (same)

`

exports[`test/import.ts > TAP > import > over secrets that would not be kept > says what it will do; refused without --force, and nothing is done > refused 1`] = `
To add: 1 (new)
To change: 1 (other)
Already so: 1 (same)
mav: Change a secret that exists (other)? Nobody can be asked here; give --force

`

exports[`test/import.ts > TAP > import > something is wrong with the file > its line is named, its content never, and nothing is stored > must match snapshot 1`] = `
mav: standard input, line 2, column 7: "pin" must be a string; put it in quotes
mav: standard input, line 2, column 5: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 2: "x" is empty, which a vault cannot hold; --skip-empty leaves it out
mav: standard input, line 2, column 1: a member is given twice
mav: standard input, line 2: "name" must not have control characters; nothing was imported
mav: standard input, line 1, column 17: a control character in a string
mav: standard input, line 1, column 2: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 2: "fields" must have at least one member; nothing was imported
mav: standard input, line 2, column 39: an entry has no such member
mav: standard input, line 2: "name" is required; nothing was imported
mav: standard input, line 2: "value" must be a non-empty string; nothing was imported
mav: standard input, line 2: "value" must be base64 with its padding (RFC 4648 section 4); nothing was imported
mav: standard input, line 2: "environment" must be a string; nothing was imported
mav: the file says itself which environment each secret is in; leave --env out
mav: standard input, line 2: has the name and environment of line 1; give each entry once; nothing was imported
mav: standard input, line 2, column 1: an entry must be an object
mav: standard input, line 1, column 1: this is no export of version 1, which is all that this mav knows
mav: standard input, line 1, column 43: an export has no such member
mav: standard input, line 1, column 86: text follows the JSON value; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 1: this is no export of version 1, which is all that this mav knows
mav: standard input, line 1, column 55: "secrets" must be an array
mav: standard input, line 2: not an assignment such as NAME=value, NAME='value' or NAME="value"
mav: standard input, line 2: the quotes around the value do not end
mav: standard input, line 2: GOOD is given on line 1 already
mav: standard input, line 2: X is empty, which a vault cannot hold; --skip-empty leaves it out
mav: standard input is not UTF-8
mav: --format must be json or dotenv
mav: standard input, line 1: not an assignment such as NAME=value, NAME='value' or NAME="value"; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv

`
