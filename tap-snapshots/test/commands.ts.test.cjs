/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/commands.ts > TAP > list, search, rename, delete > as in a day > do what they say > with a daemon > the table 1`] = `
NAME  ENVIRONMENT  FIELDS  UPDATED           METADATA
a1    (default)            <time>  {"owner":"me"}
a2    prod                 <time>  {"owner":"you"}
b1    prod                 <time>  {"owner":"me"}

`

exports[`test/commands.ts > TAP > list, search, rename, delete > as in a day > do what they say > without a daemon > the table 1`] = `
NAME  ENVIRONMENT  FIELDS  UPDATED           METADATA
a1    (default)            <time>  {"owner":"me"}
a2    prod                 <time>  {"owner":"you"}
b1    prod                 <time>  {"owner":"me"}

`
