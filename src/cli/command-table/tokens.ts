/** Commands on tokens and keys. */
import type { CommandGroup, Options } from '../run/command.ts';
import { confirm, force, listOutput, newPassphraseFile, textOutput } from './options.ts';

const newRecoveryFile: Options = {
  'recovery-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'For recovery: write the code to this new file, instead of showing it',
  },
};

export const tokenCommands = (): CommandGroup => ({
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
      confirm,
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
  approvals: {
    group: 'Tokens and keys',
    description: 'Wait for requests that need your yes, and ask you for each',
    examples: ['mav approvals --pinentry', 'mav approvals -o json'],
    notes: [
      'A secret or token with --confirm asks before a value is read. The request waits 60 s at most. MAV_PINENTRY names the ' +
        'pinentry (pinentry), GPG_TTY its terminal.',
    ],
    options: {
      pinentry: {
        type: 'boolean',
        description: 'Ask by a pinentry (this is the default with a display and without a terminal)',
      },
      output: { ...textOutput, description: 'json: list the requests that wait, and ask nothing' },
    },
    load: () => import('../commands/approvals.ts'),
  },
  approve: {
    group: 'Tokens and keys',
    arguments: '<id>',
    description: 'Let a request have what it asks for',
    examples: ['mav approvals -o json', 'mav approve 0123456789abcdef'],
    options: {},
    load: () => import('../commands/approve.ts'),
  },
  deny: {
    group: 'Tokens and keys',
    arguments: '<id>',
    description: 'Refuse a request what it asks for',
    examples: ['mav deny 0123456789abcdef', "mav approvals -o json | jq -r '.[].id' | xargs -n 1 mav deny"],
    options: {},
    load: () => import('../commands/deny.ts'),
  },
  'key list': {
    group: 'Tokens and keys',
    description: 'List the keys of the vault: the ways to open it',
    examples: ['mav key list', 'mav key list -o json'],
    options: {
      output: { ...listOutput, placeholder: 'table|json|plain', forms: ['table', 'json', 'plain'] },
    },
    load: () => import('../commands/key-list.ts'),
  },
  'key add': {
    group: 'Tokens and keys',
    arguments: '<key-kind>',
    description: 'Add a key, another way to open the vault',
    examples: ['mav key add passphrase', 'mav key add file --key-file /media/stick/vault.key'],
    notes: [
      'The new key is tried before the vault relies on it. A vault has at most one keychain key, and any number of others ' +
        'up to 16 in all.',
    ],
    options: {
      'key-file': { type: 'string', placeholder: 'PATH', description: 'For file: path of the new key file' },
      ...newPassphraseFile,
      ...newRecoveryFile,
    },
    load: () => import('../commands/key-add.ts'),
  },
  'key remove': {
    group: 'Tokens and keys',
    arguments: '<key-id>',
    description: 'Remove a key of the vault, never the last one',
    examples: ['mav key remove 0123abcd', 'mav key remove 0123abcd --force'],
    notes: [
      'Another key has to open the vault first. Copies of the vault (backups) still open with the removed key, if somebody ' +
        'has it. To shut out somebody who has: mav key rotate --root.',
    ],
    options: { force },
    load: () => import('../commands/key-remove.ts'),
  },
  'passphrase change': {
    group: 'Tokens and keys',
    description: 'Change the passphrase of the vault',
    examples: ['mav passphrase change', 'mav passphrase change --new-passphrase-file ~/new.txt'],
    options: newPassphraseFile,
    load: () => import('../commands/passphrase-change.ts'),
  },
  'key rotate': {
    group: 'Tokens and keys',
    description: 'Make a new key-encryption key, and wrap every key under it',
    examples: ['mav key rotate', 'mav key rotate --root --reencrypt'],
    notes: [
      'With --root each key of the vault is made again and tried before the old one goes. Backups of before do not open with the ' +
        'new keys, so make one afterwards.',
    ],
    options: {
      root: {
        type: 'boolean',
        description: 'Also make a new root key: for somebody who had the file and its key',
      },
      reencrypt: {
        type: 'boolean',
        description: 'Also encrypt every value again, under a new key of its own',
      },
      'recovery-file': {
        type: 'string',
        placeholder: 'PATH',
        description: 'With --root: file with the recovery code, which stays the same (default: asked for)',
      },
      'drop-recovery': {
        type: 'boolean',
        description: 'With --root: let the recovery code open nothing any more',
      },
    },
    load: () => import('../commands/key-rotate.ts'),
  },
});
