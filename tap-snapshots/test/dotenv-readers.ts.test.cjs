/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/dotenv-readers.ts > TAP > export -o dotenv > values of all kinds > each reader gets what was stored, or is named > must match snapshot 1`] = `
Note: no spelling suits every reader of dotenv files; npm's dotenv, Node, python-dotenv, systemd's environment.d will not get DOLLAR right.
Note: no spelling suits every reader of dotenv files; python-dotenv, systemd's environment.d will not get REFERRING right.
Note: no spelling suits every reader of dotenv files; ruby-dotenv will not get PEM right.
Note: no spelling suits every reader of dotenv files; npm's dotenv, Node, godotenv will not get QUOTED right.
Note: no spelling suits every reader of dotenv files; ruby-dotenv, bash and dash, systemd's environment.d will not get DIR right.
Exported 9 variables.

`

exports[`test/dotenv-readers.ts > TAP > formatDotenv > a value of each kind > the spelling, and who reads another value > must match snapshot 1`] = `
Array [
  Array [
    "V=",
  ],
  Array [
    "V=AZaz09_./+=:@%-",
  ],
  Array [
    "V='two words'",
  ],
  Array [
    "V='#1'",
  ],
  Array [
    "V='$2b$10$abc'",
    "systemd's environment.d",
  ],
  Array [
    "V='pa$$word'",
    "systemd's environment.d",
  ],
  Array [
    "V='\${X}'",
    "python-dotenv",
    "systemd's environment.d",
  ],
  Array [
    "V='$(id)'",
  ],
  Array [
    "V=C:\\\\dir\\\\",
    "ruby-dotenv",
    "bash and dash",
    "systemd's environment.d",
  ],
  Array [
    "V='DOMAIN\\\\user'",
  ],
  Array [
    "V='\\\\\\\\server\\\\share'",
    "python-dotenv",
  ],
  Array [
    "V='\\\\n'",
  ],
  Array [
    "V='say \\"x\\"'",
  ],
  Array [
    "V=\\"it's\\"",
  ],
  Array [
    "V=\\"it's \\\\$5\\"",
    "npm's dotenv",
    "Node",
    "python-dotenv",
    "systemd's environment.d",
  ],
  Array [
    "V=\\"it's \\\\\`id\\\\\`\\"",
    "npm's dotenv",
    "Node",
    "python-dotenv",
    "Docker Compose",
  ],
  Array [
    "V=\\"it's \\\\\\"x\\\\\\"\\"",
    "npm's dotenv",
    "Node",
    "godotenv",
  ],
  Array [
    "V=\\"it's C:\\\\\\\\dir\\\\\\\\\\"",
    "npm's dotenv",
    "Node",
    "python-dotenv",
    "ruby-dotenv",
    "godotenv",
  ],
  Array [
    String(
      V='line 1
      line 2'
    ),
    "ruby-dotenv",
  ],
  Array [
    String(
      V="it's
      line 2"
    ),
    "ruby-dotenv",
  ],
  Array [
    "V=\\"line 1\\\\r\\\\nline 2\\"",
    "Node",
    "ruby-dotenv",
    "bash and dash",
    "systemd's environment.d",
  ],
  Array [
    "V=' spaces\\t'",
  ],
  Array [
    "V='é😀'",
  ],
  Array [
    "V='!x'",
  ],
]
`
