/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > delete 1`] = `
mav delete:
  Delete a secret with its fields, or one field.

Examples:
  $ mav delete db-password --env prod
  $ mav delete db --field host --force

Usage:
  $ mav delete <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  --force                   Do it without asking
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav rm

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > env 1`] = `
mav env:
  Print secrets as environment variables, for a shell to evaluate.

Examples:
  $ eval "$(mav env --env prod)"
  $ mav env --shell fish | source

Usage:
  $ mav env

Options:
  -e, --env <ENV>           This environment, on top of the default one (MAV_ENV)
  --only <NAMES>            Only these secrets: names with commas between them; may be repeated
  --prefix <TEXT>           Put this before the name of each variable
  -f, --env-file <FILE>     Only the variables of this file, whose values may be mav://ENV/NAME#FIELD
  --shell <SHELL>           bash (the default; for sh, dash and zsh too), fish or pwsh
  -o, --output <FORM>       shell (the default), dotenv or json
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  The variables are those of mav exec, which keeps them out of the shell and its other programs.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > exec 1`] = `
mav exec:
  Run a program with secrets as environment variables.

Examples:
  $ mav exec --env prod -- ./deploy.sh
  $ mav exec -f .env.mav -- npm start

Usage:
  $ mav exec <command> [...args]

Options:
  -e, --env <ENV>           This environment, on top of the default one (MAV_ENV)
  --only <NAMES>            Only these secrets: names with commas between them; may be repeated
  --prefix <TEXT>           Put this before the name of each variable
  -f, --env-file <FILE>     Only the variables of this file, whose values may be mav://ENV/NAME#FIELD
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  The secret db-password becomes DB_PASSWORD, the field host of db DB_HOST. What is in the environment replaces
  what the default one has of the same name. Two that would share a variable are an error.
  mav becomes the program: its process id, signals, standard input and exit code are its own.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > get 1`] = `
mav get:
  Print the value of a secret, and nothing else.

Examples:
  $ mav get db-password --env prod
  $ mav get db --field host

Usage:
  $ mav get <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -o, --output <json>       The whole entry as JSON
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  Into a pipe or a file go the exact bytes that were stored, without a newline.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > init 1`] = `
mav init:
  Make a vault.

Examples:
  $ mav init
  $ mav init --key-store passphrase --passphrase-file ~/pass.txt

Usage:
  $ mav init

Options:
  --key-store <KIND>        keychain, passphrase, file or auto (the default)
  --key-file <PATH>         Where a key file goes, with --key-store file
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > inject 1`] = `
mav inject:
  Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value.

Examples:
  $ mav inject -i app.conf.tpl -o app.conf
  $ echo 'token: {{ mav:///api-token }}' | mav inject

Usage:
  $ mav inject

Options:
  -i, --in <TEMPLATE>       The template (- or absent: standard input)
  -o, --output <FILE>       Where the text goes, closed to others (- or absent: standard output)
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  An empty ENV is the default environment; without #FIELD it is the value of the secret itself. Other characters
  of names are percent-encoded. Everything else in the template stays as it is, byte for byte.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > key rotate 1`] = `
mav key rotate:
  Wrap every key under a new key-encryption key.

Examples:
  $ mav key rotate
  $ mav key rotate --passphrase-file ~/pass.txt

Usage:
  $ mav key rotate

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > list 1`] = `
mav list:
  List secrets, without values.

Examples:
  $ mav list --env prod
  $ mav list --metadata-key owner --metadata-value me -o json

Usage:
  $ mav list

Options:
  -e, --env <ENV>            Only this environment (MAV_ENV; default: all of them)
  --metadata-key <KEY>       Only those with this metadata
  --metadata-value <TEXT>    … and this value of it
  --filter <TEXT>            Only names that contain this, in any case
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

Also:
  mav ls

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > mav 1`] = `
Usage:
  $ mav COMMAND [ARGUMENTS] [OPTIONS]

Secrets:
  set <name>                Store a secret, or a field of one; metadata and other fields stay unless given
  get <name>                Print the value of a secret, and nothing else
  list                      List secrets, without values
  search <query>            Search names, environments and metadata
  rename <name> <new-name>  Give a secret another name or environment; its fields and metadata go along
  delete <name>             Delete a secret with its fields, or one field

Use them:
  exec <command> [...args]  Run a program with secrets as environment variables
  env                       Print secrets as environment variables, for a shell to evaluate
  inject                    Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value

In and out:


Vault:
  init               Make a vault
  serve              Serve the vault on its socket until stopped
  status             Say whether the vault is served, sealed, and where its key lies
  unseal             Let the running daemon open its vault
  seal               Make the running daemon forget its keys
  service install    Make mav serve a login item: a systemd user unit, or a launchd agent
  service uninstall  Stop and remove the login item; vault and keys stay
  service start      Start the installed service
  service stop       Stop the installed service until the next login
  service status     Show what the service manager says; exit code 0 only while the daemon runs
  service logs       Show the service's log

Tokens and keys:
  token create       Create a token for a client of the API; it is shown once
  token list         List tokens
  token revoke [id]  Revoke a token, or all of them
  key rotate         Wrap every key under a new key-encryption key

Program:
  version  Print the version

Exit codes:
  0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 sealed or locked

Environment:
  MAV_HOME    the vault's folder (default: ~/.maestrovault)
  MAV_SOCKET  the daemon's socket (default: maestrovault.sock in that folder)
  MAV_TOKEN   the token to use; mav is that token then and nothing more
  MAV_ENV     the environment to work in
  Flags win over these, these over config.json in the vault's folder.

More:
  $ mav COMMAND --help

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > rename 1`] = `
mav rename:
  Give a secret another name or environment; its fields and metadata go along.

Examples:
  $ mav rename db-pasword db-password
  $ mav rename api-key api-key --env dev --to-env prod

Usage:
  $ mav rename <name> <new-name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --to-env <ENV>            The new environment (the same one)
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav mv

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > seal 1`] = `
mav seal:
  Make the running daemon forget its keys.

Examples:
  $ mav seal
  $ mav lock

Usage:
  $ mav seal

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav lock

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > search 1`] = `
mav search:
  Search names, environments and metadata.

Examples:
  $ mav search postgres
  $ mav search owner -o json

Usage:
  $ mav search <query>

Options:
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > serve 1`] = `
mav serve:
  Serve the vault on its socket until stopped.

Examples:
  $ mav serve
  $ mav serve --socket ~/run/vault.sock

Usage:
  $ mav serve

Options:
  --init                    Make a vault first if there is none
  --key-store <KIND>        keychain, passphrase, file or auto (the default)
  --key-file <PATH>         Where a key file goes, with --key-store file
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service install 1`] = `
mav service install:
  Make mav serve a login item: a systemd user unit, or a launchd agent.

Examples:
  $ mav service install
  $ mav service install --print --platform darwin

Usage:
  $ mav service install

Options:
  --print                    Show what would be written and run, and change nothing
  --platform <linux|darwin>  With --print: for this platform instead of this machine
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service logs 1`] = `
mav service logs:
  Show the service's log.

Examples:
  $ mav service logs
  $ mav service logs --follow --lines 20

Usage:
  $ mav service logs

Options:
  -f, --follow              Go on as lines are added
  -n, --lines <N>           The last N lines (100)
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service start 1`] = `
mav service start:
  Start the installed service.

Examples:
  $ mav service start
  $ mav service start --print

Usage:
  $ mav service start

Options:
  --print                    Show what would be written and run, and change nothing
  --platform <linux|darwin>  With --print: for this platform instead of this machine
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service status 1`] = `
mav service status:
  Show what the service manager says; exit code 0 only while the daemon runs.

Examples:
  $ mav service status
  $ mav service status >/dev/null && echo running

Usage:
  $ mav service status

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service stop 1`] = `
mav service stop:
  Stop the installed service until the next login.

Examples:
  $ mav service stop
  $ mav service stop --print

Usage:
  $ mav service stop

Options:
  --print                    Show what would be written and run, and change nothing
  --platform <linux|darwin>  With --print: for this platform instead of this machine
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service uninstall 1`] = `
mav service uninstall:
  Stop and remove the login item; vault and keys stay.

Examples:
  $ mav service uninstall
  $ mav service uninstall --print

Usage:
  $ mav service uninstall

Options:
  --print                    Show what would be written and run, and change nothing
  --platform <linux|darwin>  With --print: for this platform instead of this machine
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > set 1`] = `
mav set:
  Store a secret, or a field of one; metadata and other fields stay unless given.

Examples:
  $ printf %s "$PASSWORD" | mav set db-password --env prod
  $ mav set api-key --generate --length 40

Usage:
  $ mav set <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  --value <TEXT>            The value; others may see it (see Notes)
  --from-file <PATH>        The value is this file's bytes
  --trim                    Leave out one newline at the end of what is read
  --generate                A new random password
  --length <N>              Its length (32)
  --no-symbols              Letters and digits only
  -m, --metadata <K=V>      Metadata, which is stored in the clear; may be repeated
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  Without an option the value is read from standard input, byte for byte, or asked for on a terminal.
  Prefer that to --value: what stands on a command line is seen by other processes (ps) and kept in the
  shell's history.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > status 1`] = `
mav status:
  Say whether the vault is served, sealed, and where its key lies.

Examples:
  $ mav status
  $ mav status -o json

Usage:
  $ mav status

Options:
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token create 1`] = `
mav token create:
  Create a token for a client of the API; it is shown once.

Examples:
  $ mav token create --name ci --scope read
  $ mav token create --name me --scope read,write --expires 24h

Usage:
  $ mav token create

Options:
  --name <NAME>              What the token is for
  --scope <LIST>             Any of read,write,generate,admin
  --expires <DURATION>       Such as 24h, 30d, 1h30m (default: never)
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token list 1`] = `
mav token list:
  List tokens.

Examples:
  $ mav token list
  $ mav token list -o json

Usage:
  $ mav token list

Options:
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token revoke 1`] = `
mav token revoke:
  Revoke a token, or all of them.

Examples:
  $ mav token revoke 0123456789abcdef
  $ mav token revoke --all

Usage:
  $ mav token revoke [id]

Options:
  --all                     Every token there is
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > unseal 1`] = `
mav unseal:
  Let the running daemon open its vault.

Examples:
  $ mav unseal
  $ mav unseal --passphrase-file ~/pass.txt

Usage:
  $ mav unseal

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav unlock

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > version 1`] = `
mav version:
  Print the version.

Examples:
  $ mav version
  $ mav --version

Usage:
  $ mav version

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`
