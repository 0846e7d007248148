/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > init 1`] = `
Examples:
  $ mav init
  $ mav init --key-store passphrase --passphrase-file ~/pass.txt

mav

Usage:
  $ mav init

Options:
  --key-store <KIND>        keychain, passphrase, file or auto (the default) 
  --key-file <PATH>         Where a key file goes, with --key-store file 
  --passphrase-file <PATH>  Read the vault's passphrase from this file 
  -h, --help                Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > key rotate 1`] = `
Examples:
  $ mav key rotate
  $ mav key rotate --passphrase-file ~/pass.txt

mav

Usage:
  $ mav key rotate

Options:
  --socket <PATH>           The daemon's socket (MAV_SOCKET) 
  --passphrase-file <PATH>  Read the vault's passphrase from this file 
  -h, --help                Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > mav 1`] = `
mav

Usage:
  $ mav <command> [options]

Commands:
  init               Make a vault
  serve              Serve the vault on its socket until stopped
  status             Say whether the vault is served, sealed, and where its key lies
  unseal             Let the running daemon open its vault
  seal               Make the running daemon forget its keys
  token create       Create a token for a client of the API; it is shown once
  token list         List tokens
  token revoke [id]  Revoke a token, or all of them
  key rotate         Wrap every key under a new key-encryption key
  version            Print the version

For more info, run any command with the \`--help\` flag:
  $ mav init --help
  $ mav serve --help
  $ mav status --help
  $ mav unseal --help
  $ mav seal --help
  $ mav token create --help
  $ mav token list --help
  $ mav token revoke --help
  $ mav key rotate --help
  $ mav version --help

Options:
  -h, --help  Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > seal 1`] = `
Examples:
  $ mav seal
  $ mav lock

mav

Usage:
  $ mav seal

Options:
  --socket <PATH>  The daemon's socket (MAV_SOCKET) 
  -h, --help       Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > serve 1`] = `
Examples:
  $ mav serve
  $ mav serve --socket ~/run/vault.sock

mav

Usage:
  $ mav serve

Options:
  --socket <PATH>           The daemon's socket (MAV_SOCKET) 
  --init                    Make a vault first if there is none 
  --key-store <KIND>        keychain, passphrase, file or auto (the default) 
  --key-file <PATH>         Where a key file goes, with --key-store file 
  --passphrase-file <PATH>  Read the vault's passphrase from this file 
  -h, --help                Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > status 1`] = `
Examples:
  $ mav status
  $ mav status -o json

mav

Usage:
  $ mav status

Options:
  --socket <PATH>            The daemon's socket (MAV_SOCKET) 
  -o, --output <json|table>  Form of the output (json when piped) 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token create 1`] = `
Examples:
  $ mav token create --name ci --scope read
  $ mav token create --name me --scope read,write --expires 24h

mav

Usage:
  $ mav token create

Options:
  --name <NAME>              What the token is for 
  --scope <LIST>             Any of read,write,generate,admin 
  --expires <DURATION>       Such as 24h, 30d, 1h30m (default: never) 
  --socket <PATH>            The daemon's socket (MAV_SOCKET) 
  -o, --output <json|table>  Form of the output (json when piped) 
  --passphrase-file <PATH>   Read the vault's passphrase from this file 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token list 1`] = `
Examples:
  $ mav token list
  $ mav token list -o json

mav

Usage:
  $ mav token list

Options:
  --socket <PATH>            The daemon's socket (MAV_SOCKET) 
  -o, --output <json|table>  Form of the output (json when piped) 
  --passphrase-file <PATH>   Read the vault's passphrase from this file 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token revoke 1`] = `
Examples:
  $ mav token revoke 0123456789abcdef
  $ mav token revoke --all

mav

Usage:
  $ mav token revoke [id]

Options:
  --all                     Every token there is 
  --socket <PATH>           The daemon's socket (MAV_SOCKET) 
  --passphrase-file <PATH>  Read the vault's passphrase from this file 
  -h, --help                Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > unseal 1`] = `
Examples:
  $ mav unseal
  $ mav unseal --passphrase-file ~/pass.txt

mav

Usage:
  $ mav unseal

Options:
  --socket <PATH>           The daemon's socket (MAV_SOCKET) 
  --passphrase-file <PATH>  Read the vault's passphrase from this file 
  -h, --help                Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > version 1`] = `
Examples:
  $ mav version
  $ mav --version

mav

Usage:
  $ mav version

Options:
  -h, --help  Display this message 

`
