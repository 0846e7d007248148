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
  service install    Make mav serve a login item: a systemd user unit, or a launchd agent
  service uninstall  Stop and remove the login item; vault and keys stay
  service start      Start the installed service
  service stop       Stop the installed service until the next login
  service status     Show what the service manager says; exit code 0 only while the daemon runs
  service logs       Show the service's log
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
  $ mav service install --help
  $ mav service uninstall --help
  $ mav service start --help
  $ mav service stop --help
  $ mav service status --help
  $ mav service logs --help
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

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service install 1`] = `
Examples:
  $ mav service install
  $ mav service install --print --platform darwin

mav

Usage:
  $ mav service install

Options:
  --print                    Show what would be written and run, and change nothing 
  --platform <linux|darwin>  With --print: for this platform instead of this machine 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service logs 1`] = `
Examples:
  $ mav service logs
  $ mav service logs --follow --lines 20

mav

Usage:
  $ mav service logs

Options:
  -f, --follow     Go on as lines are added 
  -n, --lines <N>  The last N lines (100) 
  -h, --help       Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service start 1`] = `
Examples:
  $ mav service start
  $ mav service start --print

mav

Usage:
  $ mav service start

Options:
  --print                    Show what would be written and run, and change nothing 
  --platform <linux|darwin>  With --print: for this platform instead of this machine 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service status 1`] = `
Examples:
  $ mav service status
  $ mav service status >/dev/null && echo running

mav

Usage:
  $ mav service status

Options:
  -h, --help  Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service stop 1`] = `
Examples:
  $ mav service stop
  $ mav service stop --print

mav

Usage:
  $ mav service stop

Options:
  --print                    Show what would be written and run, and change nothing 
  --platform <linux|darwin>  With --print: for this platform instead of this machine 
  -h, --help                 Display this message 

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service uninstall 1`] = `
Examples:
  $ mav service uninstall
  $ mav service uninstall --print

mav

Usage:
  $ mav service uninstall

Options:
  --print                    Show what would be written and run, and change nothing 
  --platform <linux|darwin>  With --print: for this platform instead of this machine 
  -h, --help                 Display this message 

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
