/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > DELETE /v1/secrets/login 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"login"}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > DELETE /v1/secrets/login/fields/user 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"login","field":"user","version":3}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > GET /v1/secrets/login 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "2-<id>"
x-request-id: <request id>

{"name":"login","environment":"","metadata":{},"fields":{"a/b ç":"x","pin":"0123","user":"admin"},"field_count":3,"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":2}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > GET /v1/secrets/login/fields 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"a/b ç":"x","pin":"0123","user":"root"}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > GET /v1/secrets/login/fields 2`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"a/b ç":"x","pin":"0123"}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > GET /v1/secrets/login/fields/user 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"name":"login","field":"user","value":"admin"}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > PUT /v1/secrets/login/fields 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"login","field_count":3,"version":1}
`

exports[`test/api-secrets.ts > TAP > fields > each endpoint > as in the contract > PUT /v1/secrets/login/fields/user 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"login","field":"user","version":2}
`

exports[`test/api-secrets.ts > TAP > secrets.patch > value and metadata > 200 > DELETE /v1/secrets/patched 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"patched"}
`

exports[`test/api-secrets.ts > TAP > secrets.patch > value and metadata > 200 > GET /v1/secrets/patched 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "3-<id>"
x-request-id: <request id>

{"name":"patched","environment":"","value":"new","metadata":{"b":2},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":3}
`

exports[`test/api-secrets.ts > TAP > secrets.patch > value and metadata > 200 > PATCH /v1/secrets/patched 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"updated","name":"patched","version":2}
`

exports[`test/api-secrets.ts > TAP > secrets.patch > value and metadata > 200 > PATCH /v1/secrets/patched 2`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"updated","name":"patched","version":3}
`

exports[`test/api-secrets.ts > TAP > secrets.patch > value and metadata > 200 > PUT /v1/secrets/patched 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"patched","version":1}
`

exports[`test/api-secrets.ts > TAP > secrets.put > with metadata > 201, and get shows all of it > DELETE /v1/secrets/db-password?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"db-password"}
`

exports[`test/api-secrets.ts > TAP > secrets.put > with metadata > 201, and get shows all of it > GET /v1/secrets/db-password?env=prod 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "1-<id>"
x-request-id: <request id>

{"name":"db-password","environment":"prod","value":"hunter2","metadata":{"owner":"ops","port":1},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}
`

exports[`test/api-secrets.ts > TAP > secrets.put > with metadata > 201, and get shows all of it > GET /v1/secrets/db-password?env=prod 2`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "2-<id>"
x-request-id: <request id>

{"name":"db-password","environment":"prod","value":"hunter2","metadata":{"owner":"ops","port":1},"fields":{"user":"root"},"field_count":1,"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":2}
`

exports[`test/api-secrets.ts > TAP > secrets.put > with metadata > 201, and get shows all of it > PUT /v1/secrets/db-password?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"db-password","version":1}
`

exports[`test/api-secrets.ts > TAP > secrets.put > with metadata > 201, and get shows all of it > PUT /v1/secrets/db-password/fields/user?env=prod 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"db-password","field":"user","version":2}
`

exports[`test/api-secrets.ts > TAP > secrets.put > without metadata > get shows an empty object > DELETE /v1/secrets/plain 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"deleted","name":"plain"}
`

exports[`test/api-secrets.ts > TAP > secrets.put > without metadata > get shows an empty object > GET /v1/secrets/plain 1`] = `
200
cache-control: no-store
content-length: <length>
content-type: application/json
etag: "1-<id>"
x-request-id: <request id>

{"name":"plain","environment":"","value":"hunter2","metadata":{},"created_at":"<time>","updated_at":"<time>","written_by":"<id>","accepted":true,"version":1}
`

exports[`test/api-secrets.ts > TAP > secrets.put > without metadata > get shows an empty object > PUT /v1/secrets/plain 1`] = `
201
cache-control: no-store
content-length: <length>
content-type: application/json
x-request-id: <request id>

{"status":"stored","name":"plain","version":1}
`
