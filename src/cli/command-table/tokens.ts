/** Commands on tokens and keys. */
import type { Command } from '../run/command.ts';
import { force, listOutput, textOutput } from './options.ts';

export const tokenCommands: Readonly<Record<string, Command>> = {
  'token create': {
    group: 'Tokens and keys',
    description: 'Create a token for a client of the API, and show it once',
    examples: [
      'mav token create --name ci --scope read',
      "mav token create --name web --preset ci --environments prod --names 'web/**'",
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
      preset: {
        type: 'string',
        placeholder: 'ci|agent',
        description: 'Scope and expiry for a pipeline (read, 90d) or an agent (read, 8h); needs limits',
      },
      environments: {
        type: 'string',
        placeholder: 'LIST',
        description: 'The only environments that it reaches; may be repeated',
        repeatable: true,
      },
      names: {
        type: 'string',
        placeholder: 'GLOBS',
        description: 'The only names that it reaches: * within a segment, ** across /; may be repeated',
        repeatable: true,
      },
      fields: {
        type: 'string',
        placeholder: 'GLOBS',
        description: 'The only fields that it reaches; @value is the value itself; may be repeated',
        repeatable: true,
      },
      'max-uses': {
        type: 'string',
        placeholder: 'N',
        description: 'How many requests it may make (default: as many as wanted)',
      },
      'not-before': {
        type: 'string',
        placeholder: 'TIME',
        description: 'It is refused until then, such as 2027-01-31T00:00:00Z',
      },
      trusted: { type: 'boolean', description: 'What it writes counts as yours, so exec and env use it' },
      output: { ...textOutput, description: 'Form of the output (text: the token alone)' },
    },
    load: () => import('../commands/token-create.ts'),
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
    load: () => import('../commands/token-list.ts'),
  },
  'token show': {
    group: 'Tokens and keys',
    arguments: '[id]',
    description: 'Show what a token may do; without an ID, the one that asks',
    examples: ['mav token show 0123456789abcdef', 'MAV_TOKEN=mvt_… mav token show'],
    options: { output: textOutput },
    load: () => import('../commands/token-show.ts'),
  },
  'token rotate': {
    group: 'Tokens and keys',
    arguments: '<id>',
    description: 'Replace a token by a new one with the same limits, and show it once',
    examples: ['mav token rotate 0123456789abcdef', 'mav token rotate 0123456789abcdef --overlap 1h'],
    options: {
      overlap: {
        type: 'string',
        placeholder: 'DURATION',
        description: 'How long the old one stays valid, such as 1h (default: not at all)',
      },
      output: { ...textOutput, description: 'Form of the output (text: the token alone)' },
    },
    load: () => import('../commands/token-rotate.ts'),
  },
  'token revoke': {
    group: 'Tokens and keys',
    arguments: '[...ids]',
    description: 'Revoke tokens, or all of them',
    examples: ['mav token revoke 0123456789abcdef', 'mav token revoke --all'],
    options: { all: { type: 'boolean', description: 'Revoke every token; asks first' }, force },
    load: () => import('../commands/token-revoke.ts'),
  },
  'key rotate': {
    group: 'Tokens and keys',
    description: 'Make a new key-encryption key, and wrap every key under it',
    examples: ['mav key rotate', 'mav key rotate --passphrase-file ~/pass.txt'],
    options: {},
    load: () => import('../commands/key-rotate.ts'),
  },
};
