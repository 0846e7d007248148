/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/dotenv.ts > TAP > parseDotenv > what is malformed > says which line and what is wrong, never the text > must match snapshot 1`] = `
Array [
  "f, line 2: not an assignment such as NAME=value, NAME='value' or NAME=\\"value\\"",
  "f, line 2: a variable's name has ASCII letters, digits and underscores, and no digit first",
  "f, line 2: a variable's name has ASCII letters, digits and underscores, and no digit first",
  "f, line 2: not an assignment such as NAME=value, NAME='value' or NAME=\\"value\\"",
  "f, line 2: the quotes around the value do not end",
  "f, line 2: text follows the closing quote",
  "f, line 2: the value has a NUL byte",
]
`
