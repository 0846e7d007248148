/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/api-errors.ts > TAP > bodies > out of the rules > 400 that names the member, and nothing is stored > messages 1`] = `
PUT /v1/secrets/refused > no body: a JSON body is required
PUT /v1/secrets/refused > only whitespace: the body must be a JSON object
PUT /v1/secrets/refused > broken JSON: the body is not valid JSON (at byte 22)
PUT /v1/secrets/refused > a trailing comma: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused > single quotes: the body is not valid JSON (at byte 1)
PUT /v1/secrets/refused > a comment: the body is not valid JSON (at byte 24)
PUT /v1/secrets/refused > text after the JSON: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused > a second object: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused > a form: the body must be a JSON object
PUT /v1/secrets/refused > a list: the body must be a JSON object
PUT /v1/secrets/refused > text: the body must be a JSON object
PUT /v1/secrets/refused > a number: the body must be a JSON object
PUT /v1/secrets/refused > null: the body must be a JSON object
PUT /v1/secrets/refused > a byte order mark: the body must not start with a byte order mark
PUT /v1/secrets/refused > bytes that are not UTF-8: the body is not valid UTF-8
PUT /v1/secrets/refused > an unpaired surrogate: a string has an unpaired surrogate (at byte 10)
PUT /v1/secrets/refused > a control character in a string: the body is not valid JSON (at byte 11)
PUT /v1/secrets/refused > a bad escape: the body is not valid JSON (at byte 10)
PUT /v1/secrets/refused > nested too deep: the body is nested deeper than 64 levels
PUT /v1/secrets/refused > a duplicate member: member "value" is given twice
PUT /v1/secrets/refused > a duplicate member written otherwise: member "value" is given twice
PUT /v1/secrets/refused > a duplicate member in the metadata: member "a" is given twice
PUT /v1/secrets/refused > a duplicate member deep in the metadata: member "b" is given twice
PUT /v1/secrets/refused > __proto__: a member must not be named "__proto__"
PUT /v1/secrets/refused > __proto__ in the metadata: a member must not be named "__proto__"
PUT /v1/secrets/refused > __proto__ written otherwise: a member must not be named "__proto__"
PUT /v1/secrets/refused > an unknown member: unknown member "extra"
PUT /v1/secrets/refused > a member in capitals: unknown member "Value"
PUT /v1/secrets/refused > a value that is a number: "value" must be a non-empty string
PUT /v1/secrets/refused > a value that is true: "value" must be a non-empty string
PUT /v1/secrets/refused > a value that is a list: "value" must be a non-empty string
PUT /v1/secrets/refused > a value that is an object: "value" must be a non-empty string
PUT /v1/secrets/refused > an empty value: "value" must be a non-empty string
PUT /v1/secrets/refused > no value: "value" is required
PUT /v1/secrets/refused > a null value: "value" is required
PUT /v1/secrets/refused > metadata as text: "metadata" must be an object
PUT /v1/secrets/refused > metadata as a list: "metadata" must be an object
PUT /v1/secrets/refused > metadata as a number: "metadata" must be an object
PUT /v1/secrets/refused > metadata as false: "metadata" must be an object
PUT /v1/secrets/refused > a bad number in the metadata: the body is not valid JSON (at byte 30)
PUT /v1/secrets/refused > NaN in the metadata: the body is not valid JSON (at byte 29)
PATCH /v1/secrets/kept > no body: a JSON body is required
PATCH /v1/secrets/kept > only whitespace: the body must be a JSON object
PATCH /v1/secrets/kept > broken JSON: the body is not valid JSON (at byte 22)
PATCH /v1/secrets/kept > a trailing comma: the body is not valid JSON (at byte 23)
PATCH /v1/secrets/kept > single quotes: the body is not valid JSON (at byte 1)
PATCH /v1/secrets/kept > a comment: the body is not valid JSON (at byte 24)
PATCH /v1/secrets/kept > text after the JSON: the body is not valid JSON (at byte 23)
PATCH /v1/secrets/kept > a second object: the body is not valid JSON (at byte 23)
PATCH /v1/secrets/kept > a form: the body must be a JSON object
PATCH /v1/secrets/kept > a list: the body must be a JSON object
PATCH /v1/secrets/kept > text: the body must be a JSON object
PATCH /v1/secrets/kept > a number: the body must be a JSON object
PATCH /v1/secrets/kept > null: the body must be a JSON object
PATCH /v1/secrets/kept > a byte order mark: the body must not start with a byte order mark
PATCH /v1/secrets/kept > bytes that are not UTF-8: the body is not valid UTF-8
PATCH /v1/secrets/kept > an unpaired surrogate: a string has an unpaired surrogate (at byte 10)
PATCH /v1/secrets/kept > a control character in a string: the body is not valid JSON (at byte 11)
PATCH /v1/secrets/kept > a bad escape: the body is not valid JSON (at byte 10)
PATCH /v1/secrets/kept > nested too deep: the body is nested deeper than 64 levels
PATCH /v1/secrets/kept > a duplicate member: member "value" is given twice
PATCH /v1/secrets/kept > a duplicate member written otherwise: member "value" is given twice
PATCH /v1/secrets/kept > a duplicate member in the metadata: member "a" is given twice
PATCH /v1/secrets/kept > a duplicate member deep in the metadata: member "b" is given twice
PATCH /v1/secrets/kept > __proto__: a member must not be named "__proto__"
PATCH /v1/secrets/kept > __proto__ in the metadata: a member must not be named "__proto__"
PATCH /v1/secrets/kept > __proto__ written otherwise: a member must not be named "__proto__"
PATCH /v1/secrets/kept > an unknown member: unknown member "extra"
PATCH /v1/secrets/kept > a member in capitals: unknown member "Value"
PATCH /v1/secrets/kept > a value that is a number: "value" must be a non-empty string
PATCH /v1/secrets/kept > a value that is true: "value" must be a non-empty string
PATCH /v1/secrets/kept > a value that is a list: "value" must be a non-empty string
PATCH /v1/secrets/kept > a value that is an object: "value" must be a non-empty string
PATCH /v1/secrets/kept > an empty value: "value" must be a non-empty string
PATCH /v1/secrets/kept > metadata as text: "metadata" must be an object
PATCH /v1/secrets/kept > metadata as a list: "metadata" must be an object
PATCH /v1/secrets/kept > metadata as a number: "metadata" must be an object
PATCH /v1/secrets/kept > metadata as false: "metadata" must be an object
PATCH /v1/secrets/kept > a bad number in the metadata: the body is not valid JSON (at byte 30)
PATCH /v1/secrets/kept > NaN in the metadata: the body is not valid JSON (at byte 29)
PUT /v1/secrets/refused/fields/f > no body: a JSON body is required
PUT /v1/secrets/refused/fields/f > only whitespace: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > broken JSON: the body is not valid JSON (at byte 22)
PUT /v1/secrets/refused/fields/f > a trailing comma: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused/fields/f > single quotes: the body is not valid JSON (at byte 1)
PUT /v1/secrets/refused/fields/f > a comment: the body is not valid JSON (at byte 24)
PUT /v1/secrets/refused/fields/f > text after the JSON: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused/fields/f > a second object: the body is not valid JSON (at byte 23)
PUT /v1/secrets/refused/fields/f > a form: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > a list: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > text: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > a number: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > null: the body must be a JSON object
PUT /v1/secrets/refused/fields/f > a byte order mark: the body must not start with a byte order mark
PUT /v1/secrets/refused/fields/f > bytes that are not UTF-8: the body is not valid UTF-8
PUT /v1/secrets/refused/fields/f > an unpaired surrogate: a string has an unpaired surrogate (at byte 10)
PUT /v1/secrets/refused/fields/f > a control character in a string: the body is not valid JSON (at byte 11)
PUT /v1/secrets/refused/fields/f > a bad escape: the body is not valid JSON (at byte 10)
PUT /v1/secrets/refused/fields/f > nested too deep: the body is nested deeper than 64 levels
PUT /v1/secrets/refused/fields/f > a duplicate member: member "value" is given twice
PUT /v1/secrets/refused/fields/f > a duplicate member written otherwise: member "value" is given twice
PUT /v1/secrets/refused/fields/f > a duplicate member in the metadata: member "a" is given twice
PUT /v1/secrets/refused/fields/f > a duplicate member deep in the metadata: member "b" is given twice
PUT /v1/secrets/refused/fields/f > __proto__: a member must not be named "__proto__"
PUT /v1/secrets/refused/fields/f > __proto__ in the metadata: a member must not be named "__proto__"
PUT /v1/secrets/refused/fields/f > __proto__ written otherwise: a member must not be named "__proto__"
PUT /v1/secrets/refused/fields/f > an unknown member: unknown member "extra"
PUT /v1/secrets/refused/fields/f > a member in capitals: unknown member "Value"
PUT /v1/secrets/refused/fields/f > a value that is a number: "value" must be a non-empty string
PUT /v1/secrets/refused/fields/f > a value that is true: "value" must be a non-empty string
PUT /v1/secrets/refused/fields/f > a value that is a list: "value" must be a non-empty string
PUT /v1/secrets/refused/fields/f > a value that is an object: "value" must be a non-empty string
PUT /v1/secrets/refused/fields/f > an empty value: "value" must be a non-empty string
PUT /v1/secrets/refused/fields/f > no value: "value" is required
PUT /v1/secrets/refused/fields/f > a null value: "value" is required
PUT /v1/secrets/refused/fields/f > metadata: unknown member "metadata"
PUT /v1/secrets/refused/fields > no fields: "fields" must have at least one member
PUT /v1/secrets/refused/fields > no member: "fields" is required
PUT /v1/secrets/refused/fields > null: "fields" is required
PUT /v1/secrets/refused/fields > a list: "fields" must be an object of non-empty strings
PUT /v1/secrets/refused/fields > text: "fields" must be an object of non-empty strings
PUT /v1/secrets/refused/fields > an empty key: "fields" has a member whose name must not be empty
PUT /v1/secrets/refused/fields > an empty value: "fields"."b" must be a non-empty string
PUT /v1/secrets/refused/fields > a null value: "fields"."b" must be a non-empty string
PUT /v1/secrets/refused/fields > a number: "fields"."b" must be a non-empty string
PUT /v1/secrets/refused/fields > an object: unknown member "fields"."a"."b"
PUT /v1/secrets/refused/fields > a control character in a key: "fields" has a member whose name must not have control characters
PUT /v1/secrets/refused/fields > a key of 513 bytes: "fields" has a member whose name must be at most 512 bytes long
PUT /v1/secrets/refused/fields > a duplicate key: member "a" is given twice
PUT /v1/secrets/refused/fields > __proto__: a member must not be named "__proto__"
PUT /v1/secrets/refused/fields > an unknown member: unknown member "value"
POST /v1/secrets/kept/rename > no body: a JSON body is required
POST /v1/secrets/kept/rename > broken JSON: the body is not valid JSON (at byte 21)
POST /v1/secrets/kept/rename > no name: "name" is required
POST /v1/secrets/kept/rename > a null name: "name" is required
POST /v1/secrets/kept/rename > an empty name: "name" must not be empty
POST /v1/secrets/kept/rename > a number name: "name" must be a string
POST /v1/secrets/kept/rename > a control character in the name: "name" must not have control characters
POST /v1/secrets/kept/rename > a name of 513 bytes: "name" must be at most 512 bytes long
POST /v1/secrets/kept/rename > a number environment: "environment" must be a string
POST /v1/secrets/kept/rename > an environment of 513 bytes: "environment" must be at most 512 bytes long
POST /v1/secrets/kept/rename > a value: unknown member "value"
POST /v1/secrets/kept/rename > the same name: the secret has this name in this environment already
POST /v1/secrets/kept/rename > the same name and environment: the secret has this name in this environment already
`

exports[`test/api-errors.ts > TAP > targets > out of the rules > 400 > messages 1`] = `
malformed escape in the path: the path has a malformed percent escape
cut escape in the path: the path has a malformed percent escape
a lone % in the path: the path has a malformed percent escape
escaped bytes that are not UTF-8: the path has a malformed percent escape
overlong UTF-8: the path has a malformed percent escape
an escaped surrogate: the path has a malformed percent escape
malformed escape in a field: the path has a malformed percent escape
malformed escape in the query: the query has a malformed percent escape
malformed escape in a parameter's name: the query has a malformed percent escape
query bytes that are not UTF-8: the query has a malformed percent escape
control character in the name: "name" must not have control characters
newline in the name: "name" must not have control characters
DEL in the name: "name" must not have control characters
C1 control in the name: "name" must not have control characters
control character in the field: "field" must not have control characters
control character in env: "environment" must not have control characters
name of 513 bytes: "name" must be at most 512 bytes long
name of 513 bytes in 257 characters: "name" must be at most 512 bytes long
name of 4000 bytes: "name" must be at most 512 bytes long
field of 513 bytes: "field" must be at most 512 bytes long
env of 513 bytes: "environment" must be at most 512 bytes long
empty name: "name" must not be empty
empty name of fields: "name" must not be empty
empty field: "field" must not be empty
empty name and field: "name" must not be empty
env given twice: the query parameter env is given twice
env given twice, once escaped: the query parameter env is given twice
unknown parameter: unknown query parameter; this endpoint takes env, version
parameter in capitals: unknown query parameter; this endpoint takes env, version
a parameter of the path: unknown query parameter; this endpoint takes env, version
a parameter where there is none: this endpoint takes no query parameters
metadata_value without metadata_key: metadata_value needs metadata_key beside it
env of 513 bytes in a list: "environment" must be at most 512 bytes long
control character in env of a list: "environment" must not have control characters
a fragment: the path has a #; write it as %23
`
