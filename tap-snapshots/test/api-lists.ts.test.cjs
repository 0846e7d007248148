/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-lists.ts > TAP > secrets.list, secrets.search > some secrets > 200 with summaries, never values > first page 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
link: </v1/secrets?env=snapshot&limit=2&cursor=<cursor>>; rel="next"
x-request-id: <request id>

[{"name":"a","environment":"snapshot","metadata":{},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1},{"name":"b","environment":"snapshot","metadata":{"n":1.0,"find":"snapshot-mark"},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}]
`

exports[`test/api-lists.ts > TAP > secrets.list, secrets.search > some secrets > 200 with summaries, never values > list 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

[{"name":"a","environment":"snapshot","metadata":{},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1},{"name":"b","environment":"snapshot","metadata":{"n":1.0,"find":"snapshot-mark"},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1},{"name":"c","environment":"snapshot","metadata":{},"field_count":2,"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}]
`

exports[`test/api-lists.ts > TAP > secrets.list, secrets.search > some secrets > 200 with summaries, never values > list of nothing 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

[]
`

exports[`test/api-lists.ts > TAP > secrets.list, secrets.search > some secrets > 200 with summaries, never values > search 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

[{"name":"b","environment":"snapshot","metadata":{"n":1.0,"find":"snapshot-mark"},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}]
`
