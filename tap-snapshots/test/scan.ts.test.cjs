/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/scan.ts > TAP > scan > values in files, raw and encoded > path, line and name, sorted, exit 1 > json 1`] = `
Array [
  Object {
    "environment": "prod",
    "line": 2,
    "name": "db",
    "path": "a.txt",
  },
  Object {
    "environment": "prod",
    "line": 4,
    "name": "db",
    "path": "a.txt",
  },
  Object {
    "environment": "",
    "field": "password",
    "line": 1,
    "name": "db",
    "path": "both.txt",
  },
  Object {
    "environment": "prod",
    "line": 1,
    "name": "db",
    "path": "both.txt",
  },
]
`

exports[`test/scan.ts > TAP > scan > values in files, raw and encoded > path, line and name, sorted, exit 1 > stderr 1`] = `
1 value is too short or too common to look for.
Looked through 6 files: 7 places found.

`

exports[`test/scan.ts > TAP > scan > values in files, raw and encoded > path, line and name, sorted, exit 1 > stdout 1`] = `
a.b64:1: secret db (in prod)
a.txt:2: secret db (in prod)
a.txt:4: secret db (in prod)
b/config.json:3: secret db, field password
both.txt:1: secret db, field password
both.txt:1: secret db (in prod)
image.bin:1500001: secret key file (in prod)

`
