/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/export.ts > TAP > export > the screen would show it > refused, unless forced > must match snapshot 1`] = `
mav: this would show every secret on the screen; give --to FILE, a pipe, or --reveal

`

exports[`test/export.ts > TAP > export, import > into a new vault > exports the same > export 1`] = `
{"format":"maestrovault-export","version":1,"secrets":[
{"name":"-x","environment":"--","value":"0123","metadata":{},"written_by":"session","accepted":true,"version":1},
{"name":"a/b \\"c\\" é ","environment":"prod","value":"line\\n\\u0000\\"\\\\ü","metadata":{"n":1.0,"big":1e400,"digits":1234567890123456789012345678901234567890,"b":1,"1":2,"deep":{"a":[null,true,"\\u0001"]}},"written_by":"session","accepted":true,"version":1},
{"name":"binary","environment":"","value":"/wD+gA==","encoding":"base64","metadata":{"constructor":"x"},"fields":{"plain":"p","raw":{"value":"gIGC","encoding":"base64"}},"field_count":2,"written_by":"session","accepted":true,"version":1},
{"name":"fields only","environment":"dev","metadata":{},"fields":{"#":"hash","constructor":"f"},"field_count":2,"written_by":"session","accepted":true,"version":1}
]}

`
