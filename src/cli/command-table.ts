/** The table of commands: words, arguments, options and examples of each, and the file that has its code. */
import type { Command, Option, Options } from './run/command.ts';
import { KEY_STORE_KINDS } from './vault/key-store-names.ts';

const env: Option = {
  type: 'string',
  short: 'e',
  placeholder: 'ENV',
  description: 'Environment (MAV_ENV; default: the one without a name)',
};
const field: Option = { type: 'string', placeholder: 'KEY', description: 'One field of the secret' };
const force: Option = { type: 'boolean', short: 'f', description: 'Do not ask' };
const output: Option = {
  type: 'string',
  short: 'o',
  aliases: ['format'],
  description: 'Form of the output',
};
const listOutput: Option = {
  ...output,
  placeholder: 'table|json|plain|names',
  forms: ['table', 'json', 'plain', 'names'],
  formInPipe: 'json',
  description: 'Form of the output (table on a terminal, else json)',
};
const textOutput: Option = {
  ...output,
  placeholder: 'text|json',
  forms: ['text', 'json'],
  description: 'Form of the output (text)',
};
const clear: Option = {
  type: 'string',
  placeholder: 'TIME',
  description: 'When to clear the clipboard: 45s (default), 2m, never; a bare number is seconds',
};
const clip: Option = {
  type: 'boolean',
  short: 'c',
  description: 'Copy to the clipboard instead, as mav copy does',
};
const clearClip: Option = {
  ...clear,
  description: 'With --clip: when to clear the clipboard; 45s (default), 2m, never',
};
const metadata: Option = {
  type: 'string',
  short: 'm',
  placeholder: 'K=V',
  description: 'Metadata, stored in the clear; may be repeated',
  repeatable: true,
};
const passphraseFile: Option = {
  type: 'string',
  placeholder: 'PATH',
  description: "File with the vault's passphrase",
};

const trim: Option = { type: 'boolean', description: 'Remove one newline at the end of what is read' };

/** Options of every command. */
export const commonOptions: Options = {
  home: { type: 'string', placeholder: 'PATH', description: 'Folder of the vault (MAV_HOME)' },
  socket: { type: 'string', placeholder: 'PATH', description: 'Socket of the daemon (MAV_SOCKET)' },
  'passphrase-file': passphraseFile,
  quiet: { type: 'boolean', short: 'q', description: 'Print only data and what is wrong' },
  'no-input': { type: 'boolean', description: 'Never ask; fail instead' },
  'no-color': { type: 'boolean', description: 'No colours (NO_COLOR)' },
};

const help: Option = {
  type: 'boolean',
  short: 'h',
  hidden: true,
  description: 'Show this help',
};

/** All options of a command. A command that prints no data accepts `-o` too, because every command of other programs does. */
export function optionsOf({ options }: Command): Options {
  const unused = Object.hasOwn(options, 'output') ? {} : { output: { ...output, hidden: true } };
  return { ...options, ...commonOptions, ...unused, help };
}

const reveal: Option = { type: 'boolean', description: 'Show secrets on the screen' };

/** Options that choose which secrets become variables, and what the variables are called. */
const variableOptions = {
  env: { ...env, description: 'Add this environment on top of the default one (MAV_ENV)' },
  only: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'Only these secrets, separated by commas; may be repeated',
    repeatable: true,
  },
  except: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'All secrets but these; may be repeated',
    repeatable: true,
  },
  filter: {
    type: 'string',
    short: 'f',
    placeholder: 'TEXT',
    description: 'Only secrets whose names contain this (upper or lower case)',
  },
  prefix: { type: 'string', placeholder: 'TEXT', description: 'Put this before each variable name' },
  'allow-empty': { type: 'boolean', description: 'Go on if the environment holds nothing' },
  'env-file': {
    type: 'string',
    placeholder: 'FILE',
    description: 'Use only the variables of this file; a value may be mav://ENV/NAME#FIELD',
  },
} satisfies Options;

/** The option without its other names, for a command in which these mean something else. */
function withoutAliases({ aliases: _, ...option }: Option): Option {
  return option;
}

/** Options that say where a value comes from. */
const valueOptions: Options = {
  value: {
    type: 'string',
    short: 'v',
    placeholder: 'TEXT',
    description: 'The value; other processes can see it (see Notes)',
  },
  'from-file': {
    type: 'string',
    short: 'f',
    placeholder: 'PATH',
    description: 'Take the value from this file, byte for byte',
  },
};

/** Options that choose which secrets are listed. */
const listOptions: Options = {
  env: { ...env, description: 'Only this environment (MAV_ENV; default: all)' },
  'metadata-key': {
    type: 'string',
    placeholder: 'KEY',
    description: 'Only secrets that have this metadata key',
  },
  'metadata-value': { type: 'string', placeholder: 'TEXT', description: '… with this value' },
  filter: {
    type: 'string',
    short: 'f',
    placeholder: 'TEXT',
    description: 'Only secrets whose name or metadata contains this (upper or lower case)',
  },
  output: listOutput,
};

const printPlan: Options = {
  print: { type: 'boolean', description: 'Show what would be written and run; change nothing' },
  platform: {
    type: 'string',
    ignoresCase: true,
    placeholder: 'linux|darwin',
    description: 'With --print: show it for this platform',
  },
};

const keyStoreOptions: Options = {
  'key-store': {
    type: 'string',
    ignoresCase: true,
    placeholder: 'KIND',
    description: `Where the key is kept: ${KEY_STORE_KINDS.join(', ')} or auto (default)`,
  },
  'key-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'With --key-store file: path of the new key file',
  },
  'allow-tracer': { type: 'boolean', description: 'Open the vault even if a debugger is attached' },
};

export const commands: Readonly<Record<string, Command>> = {
  // Secrets
  set: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Store a secret, or a field of it; metadata and other fields stay unless given',
    examples: [
      'printf %s "$PASSWORD" | mav set db-password --env prod',
      'mav set db --field host=localhost --field user=me',
    ],
    notes: [
      'Without an option, set reads the value from standard input, byte for byte, or asks for it on a terminal. ' +
        'Prefer this to --value and --field KEY=VALUE: other processes can see a command line (ps), and the shell ' +
        'keeps it in its history. Fields with values are stored all together, or none of them.',
    ],
    options: {
      env,
      field: {
        ...field,
        placeholder: 'KEY[=VALUE]',
        description: 'A field instead of the secret itself; with =VALUE it may be repeated',
        repeatable: true,
      },
      ...valueOptions,
      trim,
      generate: { type: 'boolean', short: 'g', description: 'Generate a random password' },
      length: { type: 'string', placeholder: 'N', description: 'Length of the password (32)' },
      'no-symbols': { type: 'boolean', description: 'Only letters and digits' },
      metadata,
    },
    load: () => import('./commands/set.ts'),
  },
  get: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Print the value of a secret and nothing else',
    examples: ['mav get db-password --env prod', 'mav get db --field host'],
    notes: ['Into a pipe or a file, get writes exactly the stored bytes, without a newline.'],
    options: {
      env,
      field,
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: 'Print the whole entry as JSON',
      },
      clip,
      clear: clearClip,
      print: {
        type: 'boolean',
        short: 'p',
        description: 'Print the value (this is the default)',
        hidden: true,
      },
    },
    load: () => import('./commands/get.ts'),
  },
  copy: {
    group: 'Secrets',
    aliases: ['cp'],
    arguments: '<name>',
    description: 'Copy the value of a secret to the clipboard, and clear it after a while',
    examples: ['mav copy db-password --env prod', 'mav copy db --field user --clear 2m'],
    notes: [
      'The clipboard is cleared only if it still holds this value. Until then other programs can read it, and a ' +
        'clipboard manager may keep it in its history. "clear" in config.json is the default for --clear. ' +
        'Needs wl-clipboard on Wayland, xclip or xsel on X11.',
    ],
    options: { env, field, clear: { ...clear, short: 'c' } },
    load: () => import('./commands/copy.ts'),
  },
  list: {
    group: 'Secrets',
    aliases: ['ls'],
    description: 'List secrets without their values',
    examples: ['mav list --env prod', 'mav list --metadata-key owner --metadata-value me -o json'],
    options: listOptions,
    load: () => import('./commands/list.ts'),
  },
  envs: {
    group: 'Secrets',
    description: 'List environments, and the number of secrets in each',
    examples: ['mav envs', 'mav envs -o names'],
    options: { output: listOutput },
    load: () => import('./commands/envs.ts'),
  },
  search: {
    group: 'Secrets',
    arguments: '<query>',
    description: 'Search names, environments and metadata',
    examples: ['mav search postgres', 'mav search owner --env prod -o json'],
    options: listOptions,
    load: () => import('./commands/search.ts'),
  },
  generate: {
    group: 'Secrets',
    aliases: ['gen'],
    description: 'Print a new random password or passphrase, and store it if a name is given',
    examples: ['mav generate --length 40 --no-symbols', 'mav generate --passphrase --words 8 --name wifi'],
    notes: [
      'Into a pipe or a file, it is written without a newline. Standard error says how many bits of entropy it has. ' +
        'An existing secret is replaced only if you say yes or give --force. Its metadata is replaced too; its fields stay.',
    ],
    options: {
      length: { type: 'string', placeholder: 'N', description: 'Number of characters (32)' },
      'no-uppercase': { type: 'boolean', description: 'No A-Z' },
      'no-lowercase': { type: 'boolean', description: 'No a-z' },
      'no-digits': { type: 'boolean', description: 'No 0-9' },
      'no-symbols': { type: 'boolean', description: 'Only letters and digits' },
      passphrase: { type: 'boolean', description: 'Words instead of characters' },
      words: { type: 'string', placeholder: 'N', description: 'Number of words (6)' },
      delimiter: { type: 'string', placeholder: 'TEXT', description: 'Text between two words (-)' },
      name: { type: 'string', short: 'n', placeholder: 'NAME', description: 'Also store it as this secret' },
      env,
      metadata,
      clip,
      clear: clearClip,
      force: { ...force, description: 'Replace the secret without asking' },
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: "Print the API's answer, with the entropy",
      },
    },
    load: () => import('./commands/generate.ts'),
  },
  edit: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Change a secret: its value in your editor, or by options',
    examples: ['mav edit db-password --env prod', 'mav edit db --metadata owner=me --remove-metadata note'],
    notes: [
      'A value that is piped in is stored. On a terminal, without a value or metadata, edit opens $VISUAL, else ' +
        '$EDITOR, else vi, on a private file (mode 0600, in memory if there is $XDG_RUNTIME_DIR). It overwrites and ' +
        'removes this file when the editor ends. It does not find what an editor keeps elsewhere, such as the undo ' +
        'files of vim: turn these off in the editor. The vault is not held meanwhile: if somebody else changed the ' +
        'secret, you are asked.',
    ],
    options: {
      env,
      field,
      ...valueOptions,
      stdin: { type: 'boolean', description: 'Read the value from standard input, byte for byte' },
      trim,
      metadata: { ...metadata, description: 'Set this metadata and keep the rest; may be repeated' },
      'remove-metadata': {
        type: 'string',
        placeholder: 'KEY',
        description: 'Remove this metadata; may be repeated',
        repeatable: true,
      },
    },
    load: () => import('./commands/edit.ts'),
  },
  rename: {
    group: 'Secrets',
    aliases: ['mv'],
    arguments: '<name> <new-name>',
    description: 'Give a secret another name or environment; its fields and metadata go along',
    examples: ['mav rename db-pasword db-password', 'mav rename api-key api-key --env dev --to-env prod'],
    options: {
      env,
      'to-env': { type: 'string', placeholder: 'ENV', description: 'New environment (default: the same)' },
    },
    load: () => import('./commands/rename.ts'),
  },
  accept: {
    group: 'Secrets',
    arguments: '<...names>',
    description: 'Accept what a token wrote, so that exec and env use it',
    examples: ['mav accept db-password --env prod', 'mav accept api-key api-url --reveal'],
    notes: [
      'accept shows who wrote each of them, when and what, and asks once. Anything written after that is not accepted. ' +
        'Look at the values (--reveal): they may decide what your programs do.',
    ],
    options: { env, reveal, force, output: textOutput },
    load: () => import('./commands/accept.ts'),
  },
  delete: {
    group: 'Secrets',
    aliases: ['rm'],
    arguments: '<...names>',
    description: 'Delete secrets with their fields, or one field',
    examples: ['mav delete db-password --env prod', 'mav rm old-key older-key mav://dev/db#host'],
    notes: ['delete asks once. If one of the secrets is not there, none is deleted.'],
    options: { env, field, force },
    load: () => import('./commands/delete.ts'),
  },

  // Use them
  exec: {
    group: 'Use them',
    aliases: ['run'],
    arguments: '<command> [...args]',
    passesThrough: true,
    description: 'Run a program with secrets as environment variables',
    examples: ['mav exec --env prod -- ./deploy.sh', 'mav exec --env-file .env.mav -- npm start'],
    notes: [
      'The secret db-password becomes DB_PASSWORD, and the field host of db becomes DB_HOST. Variables of --env replace ' +
        'those of the default environment with the same name. Two secrets that would share a variable are an error. ' +
        'A secret that cannot be a variable is left out with a note; if --only or the env file names it, it is an error. ' +
        "mav becomes the program, so process id, signals, standard input and exit code are the program's own.",
    ],
    options: variableOptions,
    load: () => import('./commands/exec.ts'),
  },
  env: {
    group: 'Use them',
    description: 'Print secrets as environment variables for a shell to evaluate',
    examples: ['eval "$(mav env --env prod)"', 'mav env --shell fish | source'],
    notes: [
      'The variables are the same as those of mav exec. Prefer exec: it keeps them out of the shell and its other programs.',
    ],
    options: {
      ...variableOptions,
      shell: {
        type: 'string',
        ignoresCase: true,
        placeholder: 'SHELL',
        description: 'bash (default; also for sh, dash and zsh), fish or pwsh',
      },
      output: {
        ...output,
        placeholder: 'shell|dotenv|docker|json',
        forms: ['shell', 'dotenv', 'docker', 'json'],
        description: 'Form of the output (shell)',
      },
      reveal,
    },
    load: () => import('./commands/env.ts'),
  },
  inject: {
    group: 'Use them',
    description: 'Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value',
    examples: ['mav inject -i app.conf.tpl -o app.conf', "echo 'token: {{ mav:///api-token }}' | mav inject"],
    notes: [
      'An empty ENV is the default environment. Without #FIELD the value of the secret itself is used. Special ' +
        'characters in names are percent-encoded. Everything else in the template stays as it is, byte for byte.',
    ],
    options: {
      in: {
        type: 'string',
        short: 'i',
        placeholder: 'TEMPLATE',
        description: 'Template file (- or absent: standard input)',
      },
      output: {
        ...withoutAliases(output),
        placeholder: 'FILE',
        description: 'File to write, readable only by you (- or absent: standard output)',
      },
      reveal,
    },
    load: () => import('./commands/inject.ts'),
  },

  // In and out
  export: {
    group: 'In and out',
    description: 'Write all secrets in the clear',
    examples: ['mav export --to vault.json', 'mav export --env prod -o dotenv --to .env'],
    notes: [
      'JSON has all values, fields and metadata, and mav import reads it. dotenv has the variables that mav env prints. ' +
        'docker has the same for docker --env-file and kubectl create --from-env-file. FILE is readable only by you; ' +
        'anyone who gets it has the secrets.',
    ],
    options: {
      env: { ...env, description: 'Only this environment (MAV_ENV; default: all)' },
      output: {
        ...output,
        placeholder: 'json|dotenv|docker',
        forms: ['json', 'dotenv', 'docker'],
        description: 'Form of the output (json)',
      },
      to: {
        type: 'string',
        placeholder: 'FILE',
        description: 'Write to this file; it appears only when complete',
      },
      only: { ...variableOptions.only, description: 'Not with -o json: only these secrets; may be repeated' },
      except: {
        ...variableOptions.except,
        description: 'Not with -o json: all secrets but these; may be repeated',
      },
      filter: { ...variableOptions.filter, description: 'Not with -o json: only names that contain this' },
      prefix: { ...variableOptions.prefix, description: 'Not with -o json: put this before each name' },
      'allow-empty': {
        ...variableOptions['allow-empty'],
        description: 'Go on if the environment holds nothing',
      },
      force: { type: 'boolean', description: 'Replace FILE if it exists' },
      reveal,
      'skip-unreadable': {
        type: 'boolean',
        description: 'Leave out entries that cannot be opened; exit with 1 if there are any',
      },
    },
    load: () => import('./commands/export.ts'),
  },
  import: {
    group: 'In and out',
    arguments: '<file>',
    description: 'Store the entries of a file: all of them, or none',
    examples: ['mav import vault.json --dry-run', 'mav import .env --env dev'],
    notes: [
      'FILE is an export of mav, JSON of other tools ({"NAME":"value"}, or [{"key":"NAME","value":"…"}]), or dotenv; ' +
        '- is standard input. What FILE does not mention stays as it is. import asks before it changes existing secrets.',
    ],
    options: {
      env: { ...env, description: 'Environment of entries that do not name one (MAV_ENV)' },
      format: {
        type: 'string',
        ignoresCase: true,
        placeholder: 'json|dotenv',
        description: 'Format of FILE (default: by its first character)',
      },
      'dry-run': { type: 'boolean', description: 'Show what would be done; change nothing' },
      'skip-empty': {
        type: 'boolean',
        description: 'Leave out empty values, which a vault cannot hold',
      },
      force,
      output: withoutAliases(textOutput),
    },
    load: () => import('./commands/import.ts'),
  },
  scan: {
    group: 'In and out',
    answersByExitCode: true,
    arguments: '[...paths]',
    description: "Find the vault's own values in files; exit with 1 if there are any",
    examples: ['mav scan', 'mav scan --staged   # in .git/hooks/pre-commit'],
    notes: [
      'scan looks through the current folder, or the given files and folders; - is standard input. In a git work tree ' +
        'it leaves out what git ignores. It finds values as they are, and in base64, JSON and URLs. It prints the place ' +
        'and the name of the secret, and not the value.',
    ],
    options: {
      env: { ...env, description: 'Only values of this environment (default: all, even if MAV_ENV is set)' },
      'allow-empty': { type: 'boolean', description: 'Go on if the environment holds nothing' },
      staged: { type: 'boolean', description: "Scan what git's index has staged, instead of files" },
      all: { type: 'boolean', description: 'Also scan files that git ignores' },
      output: textOutput,
    },
    load: () => import('./commands/scan.ts'),
  },

  // Vault
  init: {
    group: 'Vault',
    description: 'Create a vault',
    examples: ['mav init', 'mav init --key-store passphrase --passphrase-file ~/pass.txt'],
    options: keyStoreOptions,
    load: () => import('./commands/init.ts'),
  },
  serve: {
    group: 'Vault',
    description: 'Serve the vault on its socket until stopped',
    examples: ['mav serve', 'mav serve --socket ~/run/vault.sock'],
    options: {
      init: { type: 'boolean', description: 'Create a vault first if there is none' },
      ...keyStoreOptions,
      'log-format': {
        type: 'string',
        placeholder: 'FORMAT',
        description: 'text (default on a terminal) or json (default elsewhere)',
      },
      'log-requests': { type: 'boolean', description: 'Also log every request in text form, as json does' },
      // The Go program's client starts its daemon with this.
      'no-touchid': { type: 'boolean', description: 'No effect: there is no Touch ID here', hidden: true },
    },
    load: () => import('./commands/serve.ts'),
  },
  status: {
    group: 'Vault',
    answersByExitCode: true,
    description: 'Show whether the vault can be used, and where everything is',
    examples: ['mav status', 'mav status >/dev/null && echo usable'],
    notes: [
      'The exit code is 0 only if the vault can be used, with a daemon or without one. status never asks for a ' +
        'passphrase: without a daemon and without --passphrase-file, a vault that needs one counts as sealed (exit code 5).',
    ],
    options: { output: textOutput },
    load: () => import('./commands/status.ts'),
  },
  doctor: {
    group: 'Vault',
    answersByExitCode: true,
    toleratesConfig: true,
    description: 'Check machine, vault and daemon, and say what to do; change nothing',
    examples: ['mav doctor', 'mav doctor -o json'],
    notes: ['The exit code is 0 if no check fails. A warning is not a failure.'],
    options: { output: textOutput },
    load: () => import('./commands/doctor.ts'),
  },
  unseal: {
    group: 'Vault',
    aliases: ['unlock'],
    description: 'Let the running daemon open its vault',
    examples: ['mav unseal', 'mav unseal --passphrase-file ~/pass.txt'],
    options: {},
    load: () => import('./commands/unseal.ts'),
  },
  seal: {
    group: 'Vault',
    aliases: ['lock'],
    description: 'Make the running daemon forget its keys',
    examples: ['mav seal', 'mav lock'],
    options: {},
    load: () => import('./commands/seal.ts'),
  },
  'service install': {
    group: 'Vault',
    description: 'Make mav serve a login item: a systemd user unit, or a launchd agent',
    examples: ['mav service install', 'mav service install --print --platform darwin'],
    options: printPlan,
    load: () => import('./commands/service-install.ts'),
  },
  'service uninstall': {
    group: 'Vault',
    description: 'Stop and remove the login item; the vault and its keys stay',
    examples: ['mav service uninstall', 'mav service uninstall --print'],
    options: printPlan,
    load: () => import('./commands/service-uninstall.ts'),
  },
  'service start': {
    group: 'Vault',
    description: 'Start the installed service',
    examples: ['mav service start', 'mav service start --print'],
    options: printPlan,
    load: () => import('./commands/service-start.ts'),
  },
  'service stop': {
    group: 'Vault',
    description: 'Stop the installed service until the next login',
    examples: ['mav service stop', 'mav service stop --print'],
    options: printPlan,
    load: () => import('./commands/service-stop.ts'),
  },
  'service status': {
    group: 'Vault',
    answersByExitCode: true,
    description: 'Show what the service manager says; exit code 0 only while the daemon runs',
    examples: ['mav service status', 'mav service status >/dev/null && echo running'],
    options: { output: textOutput },
    load: () => import('./commands/service-status.ts'),
  },
  'service logs': {
    group: 'Vault',
    description: "Show the service's log",
    examples: ['mav service logs', 'mav service logs --follow --lines 20'],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'Go on printing as lines are added' },
      lines: {
        type: 'string',
        short: 'n',
        placeholder: 'N',
        description: 'Number of last lines to print (100)',
      },
    },
    load: () => import('./commands/service-logs.ts'),
  },
  adopt: {
    group: 'Vault',
    description: 'Accept the vault in this folder as yours, if mav knew none or another one there',
    examples: ['mav adopt', 'mav adopt --home /media/backup/maestrovault'],
    notes: [
      'mav remembers which vault is in which folder, and where its key is kept, in ' +
        '$XDG_CONFIG_HOME/maestrovault/known-vaults.json (~/.config without XDG_CONFIG_HOME). So nobody who can exchange ' +
        "the vault's files can give you another vault unnoticed. A vault that was moved, copied or restored from " +
        'elsewhere is refused until you adopt it. adopt shows what it found and what was known, and asks.',
    ],
    options: { force },
    load: () => import('./commands/adopt.ts'),
  },
  destroy: {
    group: 'Vault',
    description: 'Delete the vault with its key, secrets and tokens for ever',
    examples: ['mav destroy', 'mav destroy --force --even-if-key-stays'],
    notes: [
      'A running daemon ends. Copies of the vault (backups) can no longer be opened, unless somebody has its passphrase ' +
        "or a copy of its key file. config.json and files that are not the program's stay.",
    ],
    options: {
      force,
      'even-if-key-stays': {
        type: 'boolean',
        description: 'Go on if the key store does not delete the key',
      },
    },
    load: () => import('./commands/destroy.ts'),
  },

  // Tokens and keys
  'token create': {
    group: 'Tokens and keys',
    description: 'Create a token for a client of the API, and show it once',
    examples: [
      'mav token create --name ci --scope read',
      'mav token create --name me --scope read,write --expires 24h',
    ],
    options: {
      name: { type: 'string', placeholder: 'NAME', description: 'What the token is for' },
      scope: {
        type: 'string',
        aliases: ['scopes'],
        placeholder: 'LIST',
        description: 'Any of read,write,generate,admin; may be repeated',
        repeatable: true,
      },
      expires: {
        type: 'string',
        placeholder: 'DURATION',
        description: 'When it expires, such as 24h, 30d, 1h30m (default: never)',
      },
      trusted: { type: 'boolean', description: 'What it writes counts as yours, so exec and env use it' },
      output: { ...textOutput, description: 'Form of the output (text: the token alone)' },
    },
    load: () => import('./commands/token-create.ts'),
  },
  'token list': {
    group: 'Tokens and keys',
    aliases: ['token ls'],
    description: 'List tokens',
    examples: ['mav token list', 'mav token list -o json'],
    options: {
      output: {
        ...listOutput,
        placeholder: 'table|json|plain',
        forms: ['table', 'json', 'plain'],
      },
    },
    load: () => import('./commands/token-list.ts'),
  },
  'token revoke': {
    group: 'Tokens and keys',
    arguments: '[...ids]',
    description: 'Revoke tokens, or all of them',
    examples: ['mav token revoke 0123456789abcdef', 'mav token revoke --all'],
    options: { all: { type: 'boolean', description: 'Revoke every token; asks first' }, force },
    load: () => import('./commands/token-revoke.ts'),
  },
  'key rotate': {
    group: 'Tokens and keys',
    description: 'Make a new key-encryption key, and wrap every key under it',
    examples: ['mav key rotate', 'mav key rotate --passphrase-file ~/pass.txt'],
    options: {},
    load: () => import('./commands/key-rotate.ts'),
  },

  // Program
  version: {
    group: 'Program',
    needsNoVault: true,
    description: 'Print the version',
    examples: ['mav version', 'mav --version'],
    options: { output: { ...textOutput, description: 'Form of the output (json: also Node and platform)' } },
    load: () => import('./commands/version.ts'),
  },
  completion: {
    group: 'Program',
    needsNoVault: true,
    arguments: '<shell>',
    description: 'Print a completion script for bash, zsh, fish or powershell',
    examples: [
      'mav completion bash > ~/.local/share/bash-completion/completions/mav',
      'mav completion fish > ~/.config/fish/completions/mav.fish',
    ],
    notes: [
      'Or, for bash in ~/.bashrc:  source <(mav completion bash)',
      'For zsh, in ~/.zshrc after compinit:  source <(mav completion zsh)',
      'For PowerShell, in $PROFILE:',
      '  mav completion powershell | Out-String | Invoke-Expression',
      'Names of secrets, environments, fields and tokens come from the running daemon. Without a daemon they are not completed.',
    ],
    options: {},
    load: () => import('./commands/completion.ts'),
  },
};
