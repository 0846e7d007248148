/** Commands that export, import and look for many secrets. */
import type { Command } from '../run/command.ts';
import { env, force, output, reveal, textOutput, variableOptions, withoutAliases } from './options.ts';

export const transferCommands: Readonly<Record<string, Command>> = {
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
    arguments: '<file>',
    description: 'Store the entries of a file: all of them, or none',
    examples: ['mav import vault.json --dry-run', 'mav import .env --env dev'],
    notes: [
      'FILE is an export of mav, JSON of other tools ({"NAME":"value"}, or [{"key":"NAME","value":"…"}]), or dotenv; ' +
        '- is standard input. What FILE does not mention stays as it is. What changed secrets were is kept ' +
        'as older versions; where it is not (config.json), import asks first.',
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
    load: () => import('../commands/import.ts'),
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
};
