/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/terminal.ts > TAP > set > a value is typed twice > stored as typed, and never shown > must match snapshot 1`] = `
Value of x: 
Once more: 
Stored x.

`
