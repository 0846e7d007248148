/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/import-shapes.ts > TAP > import > JSON of another shape > names those that are known, and never the content > must match snapshot 1`] = `
mav: standard input, line 1, column 12: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 2, column 5: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 2: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 2: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 2, column 1: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 2: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 10: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 2, column 1: text follows the JSON value; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1: not an assignment such as NAME=value, NAME='value' or NAME="value"; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1: not an assignment such as NAME=value, NAME='value' or NAME="value"; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1: not an assignment such as NAME=value, NAME='value' or NAME="value"; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1: not an assignment such as NAME=value, NAME='value' or NAME="value"; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 1: JSON of a shape that is not known; an import takes what mav export wrote, {"NAME": "value"}, [{"name": "…", "value": "…"}] (also "key" or "secretKey" for "name"), and dotenv
mav: standard input, line 1, column 20: the entry has its name twice
mav: standard input, line 2, column 9: "value" must be a string; put it in quotes
mav: standard input, line 1: has the name and environment of line 1; give each entry once; nothing was imported

`
