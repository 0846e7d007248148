/** Commands that show what secrets were, and bring it back. */
import type { CommandGroup } from '../run/command.ts';
import { env, force, listOutput, reveal, textOutput } from './options.ts';

export const historyCommands = (): CommandGroup => ({
  history: {
    group: 'What they were',
    arguments: '<name>',
    description: 'List the versions of a secret, deleted or not, newest first, without values',
    examples: ['mav history db-password --env prod', 'mav history db -o json'],
    notes: [
      'The last 10 versions are kept, the current one among them ("keep_versions" in config.json). mav get --version shows one.',
    ],
    options: {
      env,
      output: { ...listOutput, placeholder: 'table|json|plain', forms: ['table', 'json', 'plain'] },
    },
    load: () => import('../commands/history.ts'),
  },
  diff: {
    group: 'What they were',
    arguments: '<name> [version]',
    description: 'Show what changed since a version, by default since the one before; no values',
    examples: ['mav diff db-password --env prod', 'mav diff db 3 --reveal'],
    notes: ['A line begins with ~ for what was changed, + for what was added, and - for what was removed.'],
    options: {
      env,
      reveal: { ...reveal, description: 'Also show the values, old and new' },
      output: textOutput,
    },
    load: () => import('../commands/diff.ts'),
  },
  rollback: {
    group: 'What they were',
    arguments: '<name>',
    description: 'Make an old version of a secret the newest: value, metadata, fields and dates',
    examples: ['mav rollback db-password --env prod', 'mav rollback db --to 3'],
    notes: ['Nothing is lost: the version that was current is kept too, and rollback brings it back.'],
    options: {
      env,
      to: { type: 'string', placeholder: 'VERSION', description: 'Which version (default: the one before)' },
    },
    load: () => import('../commands/rollback.ts'),
  },
  trash: {
    group: 'What they were',
    description: 'List deleted secrets, and until when each can be restored',
    examples: ['mav trash', 'mav trash --env prod -o json'],
    options: {
      env: { ...env, description: 'Only this environment (MAV_ENV; default: all)' },
      output: listOutput,
    },
    load: () => import('../commands/trash.ts'),
  },
  undelete: {
    group: 'What they were',
    arguments: '<...names>',
    namesDeleted: true,
    description: 'Bring deleted secrets back, with their fields and versions',
    examples: ['mav undelete db-password --env prod', 'mav undelete old-key mav://dev/db'],
    options: { env },
    load: () => import('../commands/undelete.ts'),
  },
  purge: {
    group: 'What they were',
    arguments: '<...names>',
    namesDeleted: true,
    description: 'Remove secrets for good, deleted or not, with all their versions',
    examples: ['mav purge db-password --env prod', 'mav purge old-key --force'],
    notes: [
      'purge asks once. Nothing of them is left in the database file or its log. Backups and exports keep theirs.',
    ],
    options: { env, force: { ...force, aliases: ['yes'] } },
    load: () => import('../commands/purge.ts'),
  },
});
