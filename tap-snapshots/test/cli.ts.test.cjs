/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > completion 1`] = `
Examples:
  $ mav completion bash > ~/.local/share/bash-completion/completions/mav
  $ mav completion fish > ~/.config/fish/completions/mav.fish

mav completion:
  Print a completion script for bash, zsh, fish or powershell.

Usage:
  $ mav completion <shell>

Options:
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  Or, for bash in ~/.bashrc:  source <(mav completion bash)
  zsh, in ~/.zshrc behind compinit:  source <(mav completion zsh)
  PowerShell, in $PROFILE:  mav completion powershell | Out-String | Invoke-Expression
  Names of secrets, environments, fields and tokens come from the running daemon; without one there are none.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > copy 1`] = `
Examples:
  $ mav copy db-password --env prod
  $ mav copy db --field user --clear 2m

mav copy:
  Copy the value of a secret to the clipboard, and clear that after a while.

Usage:
  $ mav copy <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -c, --clear <TIME>        When the clipboard forgets it: 45s (the default), 2m, never; a bare number is seconds
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav cp

Notes:
  The clipboard is cleared only if it still holds this value then. Other programs can read it until then, and
  a clipboard manager may keep it in its history. "clear" in config.json is the default for --clear.
  Needs wl-clipboard on Wayland, xclip or xsel on X11.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > delete 1`] = `
Examples:
  $ mav delete db-password --env prod
  $ mav delete db --field host --force

mav delete:
  Delete a secret with its fields, or one field.

Usage:
  $ mav delete <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -f, --force               Do it without asking
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

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > destroy 1`] = `
Examples:
  $ mav destroy
  $ mav destroy --force --even-if-key-stays

mav destroy:
  Delete the vault with its key, secrets and tokens, for ever.

Usage:
  $ mav destroy

Options:
  -f, --force               Do it without asking
  --even-if-key-stays       Also where the key store does not let go of the key
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  A running daemon ends. Copies of the vault (backups) cannot be opened any more, unless its passphrase or a copy
  of its key file is there. config.json and what is not the program's stay.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > doctor 1`] = `
Examples:
  $ mav doctor
  $ mav doctor -o json

mav doctor:
  Check machine, vault and daemon, and say what to do; changes nothing.

Usage:
  $ mav doctor

Options:
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

Notes:
  The exit code is 0 if no check fails; a warning is no failure.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > edit 1`] = `
Examples:
  $ mav edit db-password --env prod
  $ mav edit db --metadata owner=me --remove-metadata note

mav edit:
  Change a secret: its value in your editor, or what options say.

Usage:
  $ mav edit <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -v, --value <TEXT>        The value; others may see it (see Notes)
  -f, --from-file <PATH>    The value is this file's bytes
  --stdin                   The value is read from standard input, byte for byte
  --trim                    Leave out one newline at the end of what is read
  -m, --metadata <K=V>      Set this metadata and keep the rest; may be repeated
  --remove-metadata <KEY>   Remove this metadata; may be repeated
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  A value that is piped in is stored. On a terminal, without a value and metadata, it opens $VISUAL, else
  $EDITOR, else vi, on a private file (0600, in memory where $XDG_RUNTIME_DIR is) that is overwritten and removed
  when the editor ends. What an editor keeps elsewhere, such as the undo files of vim, it has to be told. The vault
  is not held meanwhile; if somebody else
  changed the secret, you are asked.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > env 1`] = `
Examples:
  $ eval "$(mav env --env prod)"
  $ mav env --shell fish | source

mav env:
  Print secrets as environment variables, for a shell to evaluate.

Usage:
  $ mav env

Options:
  -e, --env <ENV>           This environment, on top of the default one (MAV_ENV)
  --only <NAMES>            Only these secrets: names with commas between them; may be repeated
  --prefix <TEXT>           Put this before the name of each variable
  -f, --env-file <FILE>     Only the variables of this file, whose values may be mav://ENV/NAME#FIELD
  --shell <SHELL>           bash (the default; for sh, dash and zsh too), fish or pwsh
  -o, --output <FORM>       shell (the default), dotenv, docker or json
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
Examples:
  $ mav exec --env prod -- ./deploy.sh
  $ mav exec -f .env.mav -- npm start

mav exec:
  Run a program with secrets as environment variables.

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

Also:
  mav run

Notes:
  The secret db-password becomes DB_PASSWORD, the field host of db DB_HOST. What is in the environment replaces
  what the default one has of the same name. Two that would share a variable are an error.
  mav becomes the program: its process id, signals, standard input and exit code are its own.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > export 1`] = `
Examples:
  $ mav export --to vault.json
  $ mav export --env prod -o dotenv --to .env

mav export:
  Write out all that is stored, in the clear.

Usage:
  $ mav export

Options:
  -e, --env <ENV>                    Only this environment (MAV_ENV; default: all of them)
  -o, --output <json|dotenv|docker>  Form of the output (json)
  --to <FILE>                        Write into this file, once all of it is there
  --only <NAMES>                     Not with -o json: only these secrets; may be repeated
  --prefix <TEXT>                    Not with -o json: put this before each name
  -f, --force                        Replace FILE, or show the secrets on the screen
  --skip-unreadable                  Leave out what cannot be opened; the exit code is 1 then
  --home <PATH>                      The vault's folder (MAV_HOME)
  --socket <PATH>                    The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>           Read the vault's passphrase from this file
  -q, --quiet                        Say nothing but what is wrong
  --no-input                         Never ask; fail where somebody would have to be asked
  --no-color                         No colours (NO_COLOR)
  -h, --help                         Display this message

Notes:
  JSON has values, fields and metadata complete, and mav import takes it back. dotenv has the variables that
  mav env prints, docker the same for docker --env-file and kubectl create --from-env-file. FILE is closed to
  others; whoever gets hold of it has the secrets.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > generate 1`] = `
Examples:
  $ mav generate --length 40 --no-symbols
  $ mav generate --passphrase --words 8 --name wifi

mav generate:
  Print a new random password or passphrase, and store it where a name is given.

Usage:
  $ mav generate

Options:
  --length <N>              How many characters (32)
  --no-uppercase            None of A-Z
  --no-lowercase            None of a-z
  --no-digits               None of 0-9
  --no-symbols              Letters and digits only
  --passphrase              Words instead of characters
  --words <N>               How many words (6)
  --delimiter <TEXT>        What stands between two words (-)
  -n, --name <NAME>         Store it as this secret too
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  -m, --metadata <K=V>      Metadata, which is stored in the clear; may be repeated
  -c, --clip                Copy it instead, as mav copy does
  --clear <TIME>            With --clip: when it is cleared; 45s (the default), 2m, never
  -f, --force               Replace the secret without asking
  -o, --output <json>       The API's answer, with the entropy
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Also:
  mav gen

Notes:
  Into a pipe or a file it goes without a newline. How many bits of entropy it has is said on standard error.
  A secret that exists is replaced only after a yes or with --force, metadata included; its fields stay.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > get 1`] = `
Examples:
  $ mav get db-password --env prod
  $ mav get db --field host

mav get:
  Print the value of a secret, and nothing else.

Usage:
  $ mav get <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -o, --output <json>       The whole entry as JSON
  -c, --clip                Copy it instead, as mav copy does
  --clear <TIME>            With --clip: when it is cleared; 45s (the default), 2m, never
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

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > import 1`] = `
Examples:
  $ mav import vault.json --dry-run
  $ mav import .env --env dev

mav import:
  Store what is in a file: all of it, or nothing.

Usage:
  $ mav import <file>

Options:
  -e, --env <ENV>            Where those go that the file puts in no environment (MAV_ENV)
  --format <json|dotenv>     What FILE is (default: what it looks like)
  --dry-run                  Say what would be done, and do nothing
  --skip-empty               Leave out values that are empty, which a vault cannot hold
  -f, --force                Do it without asking
  -o, --output <json|table>  Form of the output (json when piped)
  --home <PATH>              The vault's folder (MAV_HOME)
  --socket <PATH>            The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>   Read the vault's passphrase from this file
  -q, --quiet                Say nothing but what is wrong
  --no-input                 Never ask; fail where somebody would have to be asked
  --no-color                 No colours (NO_COLOR)
  -h, --help                 Display this message

Notes:
  FILE is what mav export wrote, JSON of other tools ({"NAME":"value"}, or [{"key":"NAME","value":"…"}]), or
  dotenv; - is standard input. What it does not mention stays as it is. Before secrets that exist are changed
  you are asked.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > init 1`] = `
Examples:
  $ mav init
  $ mav init --key-store passphrase --passphrase-file ~/pass.txt

mav init:
  Make a vault.

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
Examples:
  $ mav inject -i app.conf.tpl -o app.conf
  $ echo 'token: {{ mav:///api-token }}' | mav inject

mav inject:
  Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value.

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
Examples:
  $ mav key rotate
  $ mav key rotate --passphrase-file ~/pass.txt

mav key rotate:
  Wrap every key under a new key-encryption key.

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
Examples:
  $ mav list --env prod
  $ mav list --metadata-key owner --metadata-value me -o json

mav list:
  List secrets, without values.

Usage:
  $ mav list

Options:
  -e, --env <ENV>            Only this environment (MAV_ENV; default: all of them)
  --metadata-key <KEY>       Only those with this metadata
  --metadata-value <TEXT>    … and this value of it
  -f, --filter <TEXT>        Only those whose name or metadata contains this, in any case
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
  copy <name>               Copy the value of a secret to the clipboard, and clear that after a while
  list                      List secrets, without values
  search <query>            Search names, environments and metadata
  generate                  Print a new random password or passphrase, and store it where a name is given
  edit <name>               Change a secret: its value in your editor, or what options say
  rename <name> <new-name>  Give a secret another name or environment; its fields and metadata go along
  delete <name>             Delete a secret with its fields, or one field

Use them:
  exec <command> [...args]  Run a program with secrets as environment variables
  env                       Print secrets as environment variables, for a shell to evaluate
  inject                    Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value

In and out:
  export           Write out all that is stored, in the clear
  import <file>    Store what is in a file: all of it, or nothing
  scan [...paths]  Find the vault's own values in files; exit 1 if there are any

Vault:
  init               Make a vault
  serve              Serve the vault on its socket until stopped
  status             Say whether the vault can be used, and where everything is
  doctor             Check machine, vault and daemon, and say what to do; changes nothing
  unseal             Let the running daemon open its vault
  seal               Make the running daemon forget its keys
  service install    Make mav serve a login item: a systemd user unit, or a launchd agent
  service uninstall  Stop and remove the login item; vault and keys stay
  service start      Start the installed service
  service stop       Stop the installed service until the next login
  service status     Show what the service manager says; exit code 0 only while the daemon runs
  service logs       Show the service's log
  destroy            Delete the vault with its key, secrets and tokens, for ever

Tokens and keys:
  token create       Create a token for a client of the API; it is shown once
  token list         List tokens
  token revoke [id]  Revoke a token, or all of them
  key rotate         Wrap every key under a new key-encryption key

Program:
  version             Print the version
  completion <shell>  Print a completion script for bash, zsh, fish or powershell

Exit codes:
  0 done, 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 sealed or locked, 130 stopped by Ctrl-C

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
Examples:
  $ mav rename db-pasword db-password
  $ mav rename api-key api-key --env dev --to-env prod

mav rename:
  Give a secret another name or environment; its fields and metadata go along.

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

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > scan 1`] = `
Examples:
  $ mav scan
  $ mav scan --staged   # in .git/hooks/pre-commit

mav scan:
  Find the vault's own values in files; exit 1 if there are any.

Usage:
  $ mav scan [...paths]

Options:
  -e, --env <ENV>           Only values of this environment (default: all, whatever MAV_ENV says)
  --staged                  What git's index has staged, instead of files
  --all                     Files too that git ignores
  -o, --output <json>       The list as JSON
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

Notes:
  Looks through the folder it is run in, or the files and folders given; - is standard input. In a git work
  tree it leaves out what git ignores. Values are found as they are and in base64, JSON and URLs. What is
  printed is where, and the name of the secret.

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > seal 1`] = `
Examples:
  $ mav seal
  $ mav lock

mav seal:
  Make the running daemon forget its keys.

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
Examples:
  $ mav search postgres
  $ mav search owner --env prod -o json

mav search:
  Search names, environments and metadata.

Usage:
  $ mav search <query>

Options:
  -e, --env <ENV>            Only this environment (MAV_ENV; default: all of them)
  --metadata-key <KEY>       Only those with this metadata
  --metadata-value <TEXT>    … and this value of it
  -f, --filter <TEXT>        Only those whose name or metadata contains this, in any case
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
Examples:
  $ mav serve
  $ mav serve --socket ~/run/vault.sock

mav serve:
  Serve the vault on its socket until stopped.

Usage:
  $ mav serve

Options:
  --init                    Make a vault first if there is none
  --key-store <KIND>        keychain, passphrase, file or auto (the default)
  --key-file <PATH>         Where a key file goes, with --key-store file
  --log-format <FORMAT>     text, as on a terminal, or json, as elsewhere
  --log-requests            Log every request in text too, as json does
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > service install 1`] = `
Examples:
  $ mav service install
  $ mav service install --print --platform darwin

mav service install:
  Make mav serve a login item: a systemd user unit, or a launchd agent.

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
Examples:
  $ mav service logs
  $ mav service logs --follow --lines 20

mav service logs:
  Show the service's log.

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
Examples:
  $ mav service start
  $ mav service start --print

mav service start:
  Start the installed service.

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
Examples:
  $ mav service status
  $ mav service status >/dev/null && echo running

mav service status:
  Show what the service manager says; exit code 0 only while the daemon runs.

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
Examples:
  $ mav service stop
  $ mav service stop --print

mav service stop:
  Stop the installed service until the next login.

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
Examples:
  $ mav service uninstall
  $ mav service uninstall --print

mav service uninstall:
  Stop and remove the login item; vault and keys stay.

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
Examples:
  $ printf %s "$PASSWORD" | mav set db-password --env prod
  $ mav set api-key --generate --length 40

mav set:
  Store a secret, or a field of one; metadata and other fields stay unless given.

Usage:
  $ mav set <name>

Options:
  -e, --env <ENV>           The environment (MAV_ENV; default: the one without a name)
  --field <KEY>             One field of the secret
  -v, --value <TEXT>        The value; others may see it (see Notes)
  -f, --from-file <PATH>    The value is this file's bytes
  --trim                    Leave out one newline at the end of what is read
  -g, --generate            A new random password
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
Examples:
  $ mav status
  $ mav status >/dev/null && echo usable

mav status:
  Say whether the vault can be used, and where everything is.

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

Notes:
  The exit code is 0 only where the vault can be used: by its daemon, or without one. Nobody is asked for a
  passphrase: without a daemon, and without --passphrase-file, a vault that needs one is sealed (5).

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token create 1`] = `
Examples:
  $ mav token create --name ci --scope read
  $ mav token create --name me --scope read,write --expires 24h

mav token create:
  Create a token for a client of the API; it is shown once.

Usage:
  $ mav token create

Options:
  --name <NAME>              What the token is for
  --scope <LIST>             Any of read,write,generate,admin; may be repeated
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
Examples:
  $ mav token list
  $ mav token list -o json

mav token list:
  List tokens.

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

Also:
  mav token ls

`

exports[`test/cli.ts > TAP > help > every command > starts with two examples, and is what it was > token revoke 1`] = `
Examples:
  $ mav token revoke 0123456789abcdef
  $ mav token revoke --all

mav token revoke:
  Revoke a token, or all of them.

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
Examples:
  $ mav unseal
  $ mav unseal --passphrase-file ~/pass.txt

mav unseal:
  Let the running daemon open its vault.

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
Examples:
  $ mav version
  $ mav --version

mav version:
  Print the version.

Usage:
  $ mav version

Options:
  -o, --output <json>       What it runs on too, as JSON
  --home <PATH>             The vault's folder (MAV_HOME)
  --socket <PATH>           The daemon's socket (MAV_SOCKET)
  --passphrase-file <PATH>  Read the vault's passphrase from this file
  -q, --quiet               Say nothing but what is wrong
  --no-input                Never ask; fail where somebody would have to be asked
  --no-color                No colours (NO_COLOR)
  -h, --help                Display this message

`
