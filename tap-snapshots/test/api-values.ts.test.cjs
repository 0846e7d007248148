/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > DELETE /v1/secrets/blob 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"blob"}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "6-<id>"
x-request-id: <request id>

{"name":"blob","environment":"","value":"text","metadata":{"a":1},"fields":{"a/b":{"value":"AP+ACg==","encoding":"base64"},"key":{"value":"AP+ACg==","encoding":"base64"},"user":"root"},"field_count":3,"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":6}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "1-<id>"
x-request-id: <request id>

{"name":"blob","environment":"prod","value":"AP+ACg==","encoding":"base64","metadata":{},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob?env=prod 2`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "3-<id>"
x-request-id: <request id>

{"name":"blob","environment":"prod","value":"AP+ACg==","encoding":"base64","metadata":{},"fields":{"a/b":{"value":"AP+ACg==","encoding":"base64"},"key":{"value":"AP+ACg==","encoding":"base64"},"user":"root"},"field_count":3,"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":3}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob/fields?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"a/b":{"value":"AP+ACg==","encoding":"base64"},"key":{"value":"AP+ACg==","encoding":"base64"},"user":"root"}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob/fields/a%2Fb?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"name":"blob","field":"a/b","value":"AP+ACg==","encoding":"base64"}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob/fields/user/value?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/octet-stream
etag: "4-<id>"
x-request-id: <request id>

root
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > GET /v1/secrets/blob/value?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/octet-stream
etag: "4-<id>"
x-request-id: <request id>

text
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > POST /v1/secrets/blob/rename?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"renamed","name":"blob 2","environment":"prod","version":5}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > POST /v1/secrets/blob%202/rename?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"renamed","name":"blob","environment":"","version":6}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > PUT /v1/secrets/blob?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"blob","version":4}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > PUT /v1/secrets/blob/fields?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"blob","field_count":2,"version":3}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > PUT /v1/secrets/blob/fields/a%2Fb/value?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"blob","field":"a/b","version":2}
`

exports[`test/api-values.ts > TAP > values > each endpoint > as in the contract > PUT /v1/secrets/blob/value?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"blob","version":1}
`
