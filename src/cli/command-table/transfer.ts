/** Commands that export, import and look for many secrets. */
import type { CommandGroup } from '../run/command.ts';
import { KEY_STORE_KINDS } from '../vault/key-store-names.ts';
import {
  env,
  force,
  newPassphraseFile,
  output,
  reveal,
  textOutput,
  variableOptions,
  withoutAliases,
} from './options.ts';

export const transferCommands = (): CommandGroup => ({
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
    load: () => import('../commands/export.ts'),
  },
  import: {
    group: 'In and out',
    arguments: '[file]',
    description: "Store the entries of a file, or of the Go program's vault: all of them, or none",
    examples: ['mav import .env --env dev', 'mav import --from-maestrovault --dry-run'],
    notes: [
      'FILE is an export of mav, JSON of other tools ({"NAME":"value"}, or [{"key":"NAME","value":"…"}]), or dotenv; ' +
        '- is standard input. What FILE does not mention stays as it is. What changed secrets were is kept ' +
        'as older versions; where it is not (config.json), import asks first.',
      '--from-maestrovault reads the vault of the Go program of this name: FILE is its folder, ~/.maestrovault if none is ' +
        'given. If it lies where the vault of mav belongs, a new vault takes its place, and its file stays beside it.',
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
      'from-maestrovault': { type: 'boolean', description: "Import the Go program's vault" },
      'key-file': {
        type: 'string',
        placeholder: 'PATH',
        description: "With --from-maestrovault: the file with that vault's key (default: the OS keychain)",
      },
      'key-store': {
        type: 'string',
        ignoresCase: true,
        placeholder: 'KIND',
        description: `With --from-maestrovault: where a new vault's key is kept: ${KEY_STORE_KINDS.join(', ')} or auto`,
      },
      'skip-refused': {
        type: 'boolean',
        description: 'With --from-maestrovault: leave out what a vault of mav cannot hold',
      },
      force,
      output: withoutAliases(textOutput),
    },
    load: () => import('../commands/import.ts'),
  },
  backup: {
    group: 'In and out',
    arguments: '<file|folder>',
    description: 'Copy the whole vault, still encrypted, while it is in use',
    examples: ['mav backup /media/disk/backups --keep 30', 'mav backup vault.backup --passphrase'],
    notes: [
      'The backup has all secrets with their old versions, deleted ones, tokens, keys and config.json, but not the audit log ' +
        '(mav audit export). It opens with what the vault opens with; with --passphrase also with a passphrase of its own, on any ' +
        'machine. Every row of the copy is opened before it is called done. In a folder it gets a name of its own.',
    ],
    options: {
      keep: {
        type: 'string',
        placeholder: 'N',
        description: 'In a folder: remove all backups of this vault but the newest N',
      },
      passphrase: {
        type: 'boolean',
        description: 'Let the copy also open with a passphrase of its own, which the vault does not have',
      },
      ...newPassphraseFile,
      force: { type: 'boolean', description: 'Replace FILE if it exists' },
    },
    load: () => import('../commands/backup.ts'),
  },
  restore: {
    group: 'In and out',
    arguments: '<file>',
    description: 'Put a backup in the place of the vault, or bring single secrets back from it',
    examples: [
      'mav restore vault.backup --dry-run',
      'mav restore vault.backup --only db-password --env prod',
    ],
    notes: [
      'Every row of the backup is opened before anything is replaced, and the vault that it replaces is kept aside, in the ' +
        'same folder. No daemon may have the vault. With --only nothing is replaced: the secrets become new versions in the present ' +
        'vault, with a daemon or without one.',
    ],
    options: {
      only: {
        type: 'string',
        placeholder: 'NAMES',
        description: 'Bring back only these secrets, separated by commas; may be repeated',
        repeatable: true,
      },
      env: { ...env, description: 'With --only: the environment of the secrets' },
      'dry-run': { type: 'boolean', description: 'Verify the backup; change nothing' },
      'recovery-file': {
        type: 'string',
        placeholder: 'PATH',
        description: 'File with the recovery code, for a backup whose key is not here',
      },
      'even-if-damaged': { type: 'boolean', description: 'Go on if rows of the backup are damaged' },
      force,
      output: textOutput,
    },
    load: () => import('../commands/restore.ts'),
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
    load: () => import('../commands/scan.ts'),
  },
});
