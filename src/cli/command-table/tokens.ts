/** Commands on tokens and keys. */
import type { Command } from '../run/command.ts';
import { force, listOutput, textOutput } from './options.ts';

export const tokenCommands: Readonly<Record<string, Command>> = {
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
