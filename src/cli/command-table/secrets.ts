/** Commands that store, show and change secrets. */
import type { CommandGroup, Option, Options } from '../run/command.ts';
import { confirm, env, force, listOutput, output, reason, reveal, textOutput } from './options.ts';

const field: Option = { type: 'string', placeholder: 'KEY', description: 'One field of the secret' };

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

const version: Option = {
  type: 'string',
  placeholder: 'VERSION',
  description: 'As it was in this version (see mav history)',
  ifMissing: 'needs the number of a version of the secret (that of the program is said by mav version)',
};

/** Options that set due dates. */
const termOptions: Options = {
  expires: {
    type: 'string',
    placeholder: 'TIME',
    description: 'Not to be used after: 90d, 2027-01-31T00:00:00Z, or never',
  },
  'rotate-by': {
    type: 'string',
    placeholder: 'TIME',
    description: 'To be replaced by then: 30d, 2027-01-31T00:00:00Z, or never',
  },
  confirm,
};

const trim: Option = { type: 'boolean', description: 'Remove one newline at the end of what is read' };

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
  due: {
    type: 'string',
    placeholder: 'TIME',
    description: 'Only secrets that expire or are to be replaced until then: 14d, now',
  },
  output: listOutput,
};

export const secretCommands = (): CommandGroup => ({
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
      'What was there before is kept as an older version: see mav history and mav rollback.',
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
      ...termOptions,
    },
    load: () => import('../commands/set.ts'),
  },
  get: {
    group: 'Secrets',
    arguments: '<name>',
    description: 'Print the value of a secret and nothing else',
    examples: ['mav get db-password --env prod', 'mav get db --field host --version 6'],
    notes: ['Into a pipe or a file, get writes exactly the stored bytes, without a newline.'],
    options: {
      env,
      field,
      version,
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: 'Print the whole entry as JSON',
      },
      clip,
      clear: clearClip,
      reason,
      print: {
        type: 'boolean',
        short: 'p',
        description: 'Print the value (this is the default)',
        hidden: true,
      },
    },
    load: () => import('../commands/get.ts'),
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
    options: { env, field, clear: { ...clear, short: 'c' }, reason },
    load: () => import('../commands/copy.ts'),
  },
  list: {
    group: 'Secrets',
    aliases: ['ls'],
    description: 'List secrets without their values',
    examples: ['mav list --env prod --due 14d', 'mav list --metadata-key owner --metadata-value me -o json'],
    options: listOptions,
    load: () => import('../commands/list.ts'),
  },
  envs: {
    group: 'Secrets',
    description: 'List environments, and the number of secrets in each',
    examples: ['mav envs', 'mav envs -o names'],
    options: { output: listOutput },
    load: () => import('../commands/envs.ts'),
  },
  search: {
    group: 'Secrets',
    arguments: '<query>',
    description: 'Search names, environments and metadata',
    examples: ['mav search postgres', 'mav search owner --env prod -o json'],
    options: listOptions,
    load: () => import('../commands/search.ts'),
  },
  generate: {
    group: 'Secrets',
    aliases: ['gen'],
    description: 'Print a new random password or passphrase, and store it if a name is given',
    examples: ['mav generate --length 40 --no-symbols', 'mav generate --passphrase --words 8 --name wifi'],
    notes: [
      'Into a pipe or a file, it is written without a newline. Standard error says how many bits of entropy it has. ' +
        'What an existing secret was is kept as an older version. Its metadata and dates are replaced too; its fields stay.',
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
      ...termOptions,
      clip,
      clear: clearClip,
      force: { ...force, description: 'Do not ask where older versions are not kept (config.json)' },
      output: {
        ...output,
        placeholder: 'json',
        forms: ['value', 'json'],
        description: "Print the API's answer, with the entropy",
      },
    },
    load: () => import('../commands/generate.ts'),
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
      ...termOptions,
    },
    load: () => import('../commands/edit.ts'),
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
    load: () => import('../commands/rename.ts'),
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
    load: () => import('../commands/accept.ts'),
  },
  delete: {
    group: 'Secrets',
    aliases: ['rm'],
    arguments: '<...names>',
    description: 'Delete secrets with their fields, or one field; undelete brings them back',
    examples: ['mav delete db-password --env prod', 'mav rm old-key older-key mav://dev/db#host'],
    notes: [
      'If one of the secrets is not there, none is deleted. Deleted secrets are kept for 30 days (mav trash), unless ' +
        'config.json says otherwise ("keep_deleted_days"). Where nothing is kept, delete asks. mav purge removes for good.',
    ],
    options: { env, field, force: { ...force, description: 'Do not ask where deleting is for good' } },
    load: () => import('../commands/delete.ts'),
  },
});
