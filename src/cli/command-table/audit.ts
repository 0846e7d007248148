/** Commands on the audit log. */
import type { CommandGroup } from '../run/command.ts';
import { env, force, output, textOutput } from './options.ts';

export const auditCommands = (): CommandGroup => ({
  audit: {
    group: 'Who did what',
    description: 'Show what was done, by whom and when, newest first; never a value',
    examples: ["mav audit --since 24h --name 'db/**'", 'mav audit --leaked ci'],
    notes: [
      '--since and --until take how long ago, such as 24h or 30d, a day, such as 2026-11-30, or a time (RFC 3339).',
      'With -f, json means one entry a line, as jsonl does. Ctrl-C ends it.',
    ],
    options: {
      since: { type: 'string', placeholder: 'TIME', description: 'Only from then on' },
      until: { type: 'string', placeholder: 'TIME', description: 'Only until then' },
      name: {
        type: 'string',
        placeholder: 'GLOB',
        description: 'Only secrets of this name: * within a segment, ** across /',
      },
      env: { ...env, description: 'Only this environment (MAV_ENV; default: all)' },
      token: {
        type: 'string',
        placeholder: 'TOKEN',
        description: 'Only this token, by its name or ID; owner is you',
      },
      operation: {
        type: 'string',
        placeholder: 'NAME',
        description: 'Only this operation, such as secrets.get, or several: secrets.*',
      },
      limit: {
        type: 'string',
        short: 'n',
        placeholder: 'N',
        description: 'How many entries (100; with -f: 10)',
      },
      follow: { type: 'boolean', short: 'f', description: 'Go on, and show what is done from now on' },
      leaked: {
        type: 'string',
        placeholder: 'TOKEN',
        description: 'List instead all that this token has read, for you to rotate',
      },
      output: {
        ...output,
        placeholder: 'table|json|jsonl',
        forms: ['table', 'json', 'jsonl'],
        formInPipe: 'json',
        description: 'Form of the output (table on a terminal, else json)',
      },
    },
    load: () => import('../commands/audit.ts'),
  },
  'audit verify': {
    group: 'Who did what',
    description: 'Check that nobody without the key changed the audit log',
    examples: ['mav audit verify', 'mav audit verify -o json'],
    notes: ['Ends with 1 if something is wrong, and prints a line for each problem.'],
    options: { output: textOutput },
    load: () => import('../commands/audit-verify.ts'),
  },
  'audit forget': {
    group: 'Who did what',
    arguments: '<segment>',
    description: 'Give up a file of the audit log that somebody changed',
    examples: ['mav audit verify', 'mav audit forget 7'],
    notes: [
      'Its file is put aside, and the log says that it was given up. Until then an old key-encryption key is kept for it; the next mav ' +
        'key rotate forgets that one. A file that is intact is never given up.',
    ],
    options: { force: { ...force, description: 'Do not ask' } },
    load: () => import('../commands/audit-forget.ts'),
  },
  'audit export': {
    group: 'Who did what',
    arguments: '<file>',
    description: 'Write the whole audit log into a file, one JSON object a line, oldest first',
    examples: ['mav audit export audit.jsonl', 'mav audit export - | gzip > audit.jsonl.gz'],
    options: { force: { ...force, description: 'Replace the file' } },
    load: () => import('../commands/audit-export.ts'),
  },
});
