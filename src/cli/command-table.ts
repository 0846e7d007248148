/** The commands: their words, arguments, options and examples, and where each one's code is. */
import type { Command, Option, Options } from './run/command.ts';

const env: Option = {
  type: 'string',
  short: 'e',
  placeholder: 'ENV',
  description: 'The environment (MAV_ENV; default: the one without a name)',
};
const field: Option = { type: 'string', placeholder: 'KEY', description: 'One field of the secret' };
const force: Option = { type: 'boolean', short: 'f', description: 'Do it without asking' };
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
  description: 'When the clipboard forgets it: 45s (the default), 2m, never; a bare number is seconds',
};
const clip: Option = { type: 'boolean', short: 'c', description: 'Copy it instead, as mav copy does' };
const clearClip: Option = {
  ...clear,
  description: 'With --clip: when it is cleared; 45s (the default), 2m, never',
};
const metadata: Option = {
  type: 'string',
  short: 'm',
  placeholder: 'K=V',
  description: 'Metadata, which is stored in the clear; may be repeated',
  repeatable: true,
};
const passphraseFile: Option = {
  type: 'string',
  placeholder: 'PATH',
  description: "Read the vault's passphrase from this file",
};

const trim: Option = { type: 'boolean', description: 'Leave out one newline at the end of what is read' };

/** Every command takes these. */
export const commonOptions: Options = {
  home: { type: 'string', placeholder: 'PATH', description: "The vault's folder (MAV_HOME)" },
  socket: { type: 'string', placeholder: 'PATH', description: "The daemon's socket (MAV_SOCKET)" },
  'passphrase-file': passphraseFile,
  quiet: { type: 'boolean', short: 'q', description: 'Say nothing but what is wrong' },
  'no-input': { type: 'boolean', description: 'Never ask; fail where somebody would have to be asked' },
  'no-color': { type: 'boolean', description: 'No colours (NO_COLOR)' },
};

const help: Option = {
  type: 'boolean',
  short: 'h',
  hidden: true,
  description: 'Say what this command does',
};

/** All that a command takes. One that prints no data takes `-o` too, as every command of other programs does. */
export function optionsOf({ options }: Command): Options {
  const unused = Object.hasOwn(options, 'output') ? {} : { output: { ...output, hidden: true } };
  return { ...options, ...commonOptions, ...unused, help };
}

const reveal: Option = { type: 'boolean', description: 'Show secrets on the screen' };

/** Which secrets become variables, and what these are called. */
const variableOptions = {
  env: { ...env, description: 'This environment, on top of the default one (MAV_ENV)' },
  only: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'Only these secrets: names with commas between them; may be repeated',
    repeatable: true,
  },
  except: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'All but these secrets; may be repeated',
    repeatable: true,
  },
  filter: {
    type: 'string',
    short: 'f',
    placeholder: 'TEXT',
    description: 'Only secrets whose names contain this, in any case',
  },
  prefix: { type: 'string', placeholder: 'TEXT', description: 'Put this before the name of each variable' },
  'allow-empty': { type: 'boolean', description: 'Go on where the environment holds nothing' },
  'env-file': {
    type: 'string',
    placeholder: 'FILE',
    description: 'Only the variables of this file, whose values may be mav://ENV/NAME#FIELD',
  },
} satisfies Options;

/** Where its other names mean something else. */
function withoutAliases({ aliases: _, ...option }: Option): Option {
  return option;
}

/** Where a value comes from. */
const valueOptions: Options = {
  value: {
    type: 'string',
    short: 'v',
    placeholder: 'TEXT',
    description: 'The value; others may see it (see Notes)',
  },
  'from-file': {
    type: 'string',
    short: 'f',
    placeholder: 'PATH',
    description: "The value is this file's bytes",
  },
};

/** Which secrets are listed. */
const listOptions: Options = {
  env: { ...env, description: 'Only this environment (MAV_ENV; default: all of them)' },
  'metadata-key': { type: 'string', placeholder: 'KEY', description: 'Only those with this metadata' },
  'metadata-value': { type: 'string', placeholder: 'TEXT', description: '… and this value of it' },
  filter: {
    type: 'string',
    short: 'f',
    placeholder: 'TEXT',
    description: 'Only those whose name or metadata contains this, in any case',
  },
  output: listOutput,
};

const printPlan: Options = {
  print: { type: 'boolean', description: 'Show what would be written and run, and change nothing' },
  platform: {
    type: 'string',
    ignoresCase: true,
    placeholder: 'linux|darwin',
    description: 'With --print: for this platform instead of this machine',
  },
};

const keyStoreOptions: Options = {
  'key-store': {
    type: 'string',
    ignoresCase: true,
    placeholder: 'KIND',
    description: 'keychain, passphrase, file or auto (the default)',
  },
  'key-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'Where a key file goes, with --key-store file',
  },
  'allow-tracer': { type: 'boolean', description: 'Open the vault although a debugger is attached' },
};

export const commands: Readonly<Record<string, Command>> = {
  // Secrets
  set: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Store a secret, or a field of one; metadata and other fields stay unless given',
    examples: [
      'printf %s "$PASSWORD" | mav set db-password --env prod',
      'mav set db --field host=localhost --field user=me',
    ],
    notes: [
      'Without an option the value is read from standard input, byte for byte, or asked for on a terminal. ' +
        'Prefer that to --value and --field KEY=VALUE: what stands on a command line is seen by other processes (ps) and kept in the ' +
        "shell's history. Fields with values are stored all together, or none.",
    ],
    options: {
      env,
      field: {
        ...field,
        placeholder: 'KEY[=VALUE]',
        description: 'A field of the secret, not its own value; with values several',
        repeatable: true,
      },
      ...valueOptions,
      trim,
      generate: { type: 'boolean', short: 'g', description: 'A new random password' },
      length: { type: 'string', placeholder: 'N', description: 'Its length (32)' },
      'no-symbols': { type: 'boolean', description: 'Letters and digits only' },
      metadata,
    },
    load: () => import('./commands/set.ts'),
  },
  get: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Print the value of a secret, and nothing else',
    examples: ['mav get db-password --env prod', 'mav get db --field host'],
    notes: ['Into a pipe or a file go the exact bytes that were stored, without a newline.'],
    options: {
      env,
      field,
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: 'The whole entry as JSON',
      },
      clip,
      clear: clearClip,
      print: { type: 'boolean', short: 'p', description: 'Print it, as is done anyway', hidden: true },
    },
    load: () => import('./commands/get.ts'),
  },
  copy: {
    group: 'Secrets',
    aliases: ['cp'],
    arguments: '<name>',
    description: 'Copy the value of a secret to the clipboard, and clear that after a while',
    examples: ['mav copy db-password --env prod', 'mav copy db --field user --clear 2m'],
    notes: [
      'The clipboard is cleared only if it still holds this value then. Other programs can read it until then, and ' +
        'a clipboard manager may keep it in its history. "clear" in config.json is the default for --clear. ' +
        'Needs wl-clipboard on Wayland, xclip or xsel on X11.',
    ],
    options: { env, field, clear: { ...clear, short: 'c' } },
    load: () => import('./commands/copy.ts'),
  },
  list: {
    group: 'Secrets',
    aliases: ['ls'],
    description: 'List secrets, without values',
    examples: ['mav list --env prod', 'mav list --metadata-key owner --metadata-value me -o json'],
    options: listOptions,
    load: () => import('./commands/list.ts'),
  },
  envs: {
    group: 'Secrets',
    description: 'List environments, and how many secrets each holds',
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
    description: 'Print a new random password or passphrase, and store it where a name is given',
    examples: ['mav generate --length 40 --no-symbols', 'mav generate --passphrase --words 8 --name wifi'],
    notes: [
      'Into a pipe or a file it goes without a newline. How many bits of entropy it has is said on standard error. ' +
        'A secret that exists is replaced only after a yes or with --force, metadata included; its fields stay.',
    ],
    options: {
      length: { type: 'string', placeholder: 'N', description: 'How many characters (32)' },
      'no-uppercase': { type: 'boolean', description: 'None of A-Z' },
      'no-lowercase': { type: 'boolean', description: 'None of a-z' },
      'no-digits': { type: 'boolean', description: 'None of 0-9' },
      'no-symbols': { type: 'boolean', description: 'Letters and digits only' },
      passphrase: { type: 'boolean', description: 'Words instead of characters' },
      words: { type: 'string', placeholder: 'N', description: 'How many words (6)' },
      delimiter: { type: 'string', placeholder: 'TEXT', description: 'What stands between two words (-)' },
      name: { type: 'string', short: 'n', placeholder: 'NAME', description: 'Store it as this secret too' },
      env,
      metadata,
      clip,
      clear: clearClip,
      force: { ...force, description: 'Replace the secret without asking' },
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: "The API's answer, with the entropy",
      },
    },
    load: () => import('./commands/generate.ts'),
  },
  edit: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Change a secret: its value in your editor, or what options say',
    examples: ['mav edit db-password --env prod', 'mav edit db --metadata owner=me --remove-metadata note'],
    notes: [
      'A value that is piped in is stored. On a terminal, without a value and metadata, it opens $VISUAL, else ' +
        '$EDITOR, else vi, on a private file (0600, in memory where $XDG_RUNTIME_DIR is) that is overwritten and removed ' +
        'when the editor ends. What an editor keeps elsewhere, such as the undo files of vim, it has to be told. The vault ' +
        'is not held meanwhile; if somebody else changed the secret, you are asked.',
    ],
    options: {
      env,
      field,
      ...valueOptions,
      stdin: { type: 'boolean', description: 'The value is read from standard input, byte for byte' },
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
      'to-env': { type: 'string', placeholder: 'ENV', description: 'The new environment (the same one)' },
    },
    load: () => import('./commands/rename.ts'),
  },
  accept: {
    group: 'Secrets',
    arguments: '<...names>',
    description: 'Accept what a token wrote: exec and env then take it unasked',
    examples: ['mav accept db-password --env prod', 'mav accept api-key api-url --reveal'],
    notes: [
      'It shows who wrote each of them, when and what, and asks once. What was written after it was shown is not accepted. ' +
        'Look at the values (--reveal): they may decide what the programs do that get them.',
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
    notes: ['You are asked once, and if one of them is not there none is deleted.'],
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
      'The secret db-password becomes DB_PASSWORD, the field host of db DB_HOST. What is in the environment replaces ' +
        'what the default one has of the same name. Two that would share a variable are an error; what cannot be a ' +
        'variable is left out, with a note, unless --only or the file names it. ' +
        'mav becomes the program: its process id, signals, standard input and exit code are its own.',
    ],
    options: variableOptions,
    load: () => import('./commands/exec.ts'),
  },
  env: {
    group: 'Use them',
    description: 'Print secrets as environment variables, for a shell to evaluate',
    examples: ['eval "$(mav env --env prod)"', 'mav env --shell fish | source'],
    notes: ['The variables are those of mav exec, which keeps them out of the shell and its other programs.'],
    options: {
      ...variableOptions,
      shell: {
        type: 'string',
        ignoresCase: true,
        placeholder: 'SHELL',
        description: 'bash (the default; for sh, dash and zsh too), fish or pwsh',
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
      'An empty ENV is the default environment; without #FIELD it is the value of the secret itself. Other characters ' +
        'of names are percent-encoded. Everything else in the template stays as it is, byte for byte.',
    ],
    options: {
      in: {
        type: 'string',
        short: 'i',
        placeholder: 'TEMPLATE',
        description: 'The template (- or absent: standard input)',
      },
      output: {
        ...withoutAliases(output),
        placeholder: 'FILE',
        description: 'Where the text goes, closed to others (- or absent: standard output)',
      },
      reveal,
    },
    load: () => import('./commands/inject.ts'),
  },

  // In and out
  export: {
    group: 'In and out',
    description: 'Write out all that is stored, in the clear',
    examples: ['mav export --to vault.json', 'mav export --env prod -o dotenv --to .env'],
    notes: [
      'JSON has values, fields and metadata complete, and mav import takes it back. dotenv has the variables that ' +
        'mav env prints, docker the same for docker --env-file and kubectl create --from-env-file. FILE is closed to ' +
        'others; whoever gets hold of it has the secrets.',
    ],
    options: {
      env: { ...env, description: 'Only this environment (MAV_ENV; default: all of them)' },
      output: {
        ...output,
        placeholder: 'json|dotenv|docker',
        forms: ['json', 'dotenv', 'docker'],
        description: 'Form of the output (json)',
      },
      to: {
        type: 'string',
        placeholder: 'FILE',
        description: 'Write into this file, once all of it is there',
      },
      only: { ...variableOptions.only, description: 'Not with -o json: only these secrets; may be repeated' },
      except: { ...variableOptions.except, description: 'Not with -o json: all but these; may be repeated' },
      filter: { ...variableOptions.filter, description: 'Not with -o json: only names that contain this' },
      prefix: { ...variableOptions.prefix, description: 'Not with -o json: put this before each name' },
      'allow-empty': {
        ...variableOptions['allow-empty'],
        description: 'Also if the environment holds nothing',
      },
      force: { type: 'boolean', description: 'Replace FILE' },
      reveal,
      'skip-unreadable': {
        type: 'boolean',
        description: 'Leave out what cannot be opened; the exit code is 1 then',
      },
    },
    load: () => import('./commands/export.ts'),
  },
  import: {
    group: 'In and out',
    arguments: '<file>',
    description: 'Store what is in a file: all of it, or nothing',
    examples: ['mav import vault.json --dry-run', 'mav import .env --env dev'],
    notes: [
      'FILE is what mav export wrote, JSON of other tools ({"NAME":"value"}, or [{"key":"NAME","value":"…"}]), or ' +
        'dotenv; - is standard input. What it does not mention stays as it is. Before secrets that exist are changed ' +
        'you are asked.',
    ],
    options: {
      env: { ...env, description: 'Where those go that the file puts in no environment (MAV_ENV)' },
      format: {
        type: 'string',
        ignoresCase: true,
        placeholder: 'json|dotenv',
        description: 'What FILE is (default: what it looks like)',
      },
      'dry-run': { type: 'boolean', description: 'Say what would be done, and do nothing' },
      'skip-empty': {
        type: 'boolean',
        description: 'Leave out values that are empty, which a vault cannot hold',
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
    description: "Find the vault's own values in files; exit 1 if there are any",
    examples: ['mav scan', 'mav scan --staged   # in .git/hooks/pre-commit'],
    notes: [
      'Looks through the folder it is run in, or the files and folders given; - is standard input. In a git work ' +
        'tree it leaves out what git ignores. Values are found as they are and in base64, JSON and URLs. What is ' +
        'printed is where, and the name of the secret.',
    ],
    options: {
      env: { ...env, description: 'Only values of this environment (default: all, whatever MAV_ENV says)' },
      'allow-empty': { type: 'boolean', description: 'Also if the environment holds nothing' },
      staged: { type: 'boolean', description: "What git's index has staged, instead of files" },
      all: { type: 'boolean', description: 'Files too that git ignores' },
      output: textOutput,
    },
    load: () => import('./commands/scan.ts'),
  },

  // Vault
  init: {
    group: 'Vault',
    description: 'Make a vault',
    examples: ['mav init', 'mav init --key-store passphrase --passphrase-file ~/pass.txt'],
    options: keyStoreOptions,
    load: () => import('./commands/init.ts'),
  },
  serve: {
    group: 'Vault',
    description: 'Serve the vault on its socket until stopped',
    examples: ['mav serve', 'mav serve --socket ~/run/vault.sock'],
    options: {
      init: { type: 'boolean', description: 'Make a vault first if there is none' },
      ...keyStoreOptions,
      'log-format': {
        type: 'string',
        placeholder: 'FORMAT',
        description: 'text, as on a terminal, or json, as elsewhere',
      },
      'log-requests': { type: 'boolean', description: 'Log every request in text too, as json does' },
      // The Go program's client starts its daemon with this.
      'no-touchid': { type: 'boolean', description: 'Nothing: there is no Touch ID here', hidden: true },
    },
    load: () => import('./commands/serve.ts'),
  },
  status: {
    group: 'Vault',
    answersByExitCode: true,
    description: 'Say whether the vault can be used, and where everything is',
    examples: ['mav status', 'mav status >/dev/null && echo usable'],
    notes: [
      'The exit code is 0 only where the vault can be used: by its daemon, or without one. Nobody is asked for a ' +
        'passphrase: without a daemon, and without --passphrase-file, a vault that needs one is sealed (5).',
    ],
    options: { output: textOutput },
    load: () => import('./commands/status.ts'),
  },
  doctor: {
    group: 'Vault',
    answersByExitCode: true,
    toleratesConfig: true,
    description: 'Check machine, vault and daemon, and say what to do; changes nothing',
    examples: ['mav doctor', 'mav doctor -o json'],
    notes: ['The exit code is 0 if no check fails; a warning is no failure.'],
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
    description: 'Stop and remove the login item; vault and keys stay',
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
      follow: { type: 'boolean', short: 'f', description: 'Go on as lines are added' },
      lines: { type: 'string', short: 'n', placeholder: 'N', description: 'The last N lines (100)' },
    },
    load: () => import('./commands/service-logs.ts'),
  },
  adopt: {
    group: 'Vault',
    description: 'Take the vault that lies here for your own, where none or another one was known',
    examples: ['mav adopt', 'mav adopt --home /media/backup/maestrovault'],
    notes: [
      'Which vault lies in which folder, and where its key is kept, stands outside of these folders, in ' +
        '$XDG_CONFIG_HOME/maestrovault/known-vaults.json (~/.config without XDG_CONFIG_HOME): whoever can exchange the ' +
        "vault's files must not be able to give you another vault unnoticed. A vault that was moved, copied or restored " +
        'from elsewhere is refused until you adopt it. It shows what it found and what was known, and asks.',
    ],
    options: { force },
    load: () => import('./commands/adopt.ts'),
  },
  destroy: {
    group: 'Vault',
    description: 'Delete the vault with its key, secrets and tokens, for ever',
    examples: ['mav destroy', 'mav destroy --force --even-if-key-stays'],
    notes: [
      'A running daemon ends. Copies of the vault (backups) cannot be opened any more, unless its passphrase or a copy ' +
        "of its key file is there. config.json and what is not the program's stay.",
    ],
    options: {
      force,
      'even-if-key-stays': {
        type: 'boolean',
        description: 'Also where the key store does not let go of the key',
      },
    },
    load: () => import('./commands/destroy.ts'),
  },

  // Tokens and keys
  'token create': {
    group: 'Tokens and keys',
    description: 'Create a token for a client of the API; it is shown once',
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
        description: 'Such as 24h, 30d, 1h30m (default: never)',
      },
      trusted: { type: 'boolean', description: 'What it writes counts as yours for exec and env' },
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
    options: { all: { type: 'boolean', description: 'Every token there is; you are asked' }, force },
    load: () => import('./commands/token-revoke.ts'),
  },
  'key rotate': {
    group: 'Tokens and keys',
    description: 'Wrap every key under a new key-encryption key',
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
    options: { output: { ...textOutput, description: 'Form of the output (json: what it runs on too)' } },
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
      'zsh, in ~/.zshrc behind compinit:  source <(mav completion zsh)',
      'PowerShell, in $PROFILE:',
      '  mav completion powershell | Out-String | Invoke-Expression',
      'Names of secrets, environments, fields and tokens come from the running daemon; without one there are none.',
    ],
    options: {},
    load: () => import('./commands/completion.ts'),
  },
};
