/**
 * The commands: their words, arguments, options and examples, and where each one's code is. cac matches a command,
 * checks how many arguments it has and prints help; values are read with Node's own parseArgs from the same table,
 * because cac's parser turns "0123" into 123 and would corrupt a secret silently.
 */
import type { Command, Option } from './command.ts';

const output: Option = {
  type: 'string',
  short: 'o',
  placeholder: 'json|table',
  description: 'Form of the output (json when piped)',
};
const socket: Option = {
  type: 'string',
  placeholder: 'PATH',
  description: "The daemon's socket (MAV_SOCKET)",
};
const passphraseFile: Option = {
  type: 'string',
  placeholder: 'PATH',
  description: "Read the vault's passphrase from this file",
};

const printPlan: Record<string, Option> = {
  print: { type: 'boolean', description: 'Show what would be written and run, and change nothing' },
  platform: {
    type: 'string',
    placeholder: 'linux|darwin',
    description: 'With --print: for this platform instead of this machine',
  },
};

const keyStoreOptions: Record<string, Option> = {
  'key-store': {
    type: 'string',
    placeholder: 'KIND',
    description: 'keychain, passphrase, file or auto (the default)',
  },
  'key-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'Where a key file goes, with --key-store file',
  },
  'passphrase-file': passphraseFile,
};

export const commands: Readonly<Record<string, Command>> = {
  init: {
    description: 'Make a vault',
    examples: ['mav init', 'mav init --key-store passphrase --passphrase-file ~/pass.txt'],
    options: keyStoreOptions,
    load: () => import('./commands/init.ts'),
  },
  serve: {
    description: 'Serve the vault on its socket until stopped',
    examples: ['mav serve', 'mav serve --socket ~/run/vault.sock'],
    options: {
      socket,
      init: { type: 'boolean', description: 'Make a vault first if there is none' },
      ...keyStoreOptions,
    },
    load: () => import('./commands/serve.ts'),
  },
  status: {
    description: 'Say whether the vault is served, sealed, and where its key lies',
    examples: ['mav status', 'mav status -o json'],
    options: { socket, output },
    load: () => import('./commands/status.ts'),
  },
  unseal: {
    aliases: ['unlock'],
    description: 'Let the running daemon open its vault',
    examples: ['mav unseal', 'mav unseal --passphrase-file ~/pass.txt'],
    options: { socket, 'passphrase-file': passphraseFile },
    load: () => import('./commands/unseal.ts'),
  },
  seal: {
    aliases: ['lock'],
    description: 'Make the running daemon forget its keys',
    examples: ['mav seal', 'mav lock'],
    options: { socket },
    load: () => import('./commands/seal.ts'),
  },
  'token create': {
    description: 'Create a token for a client of the API; it is shown once',
    examples: [
      'mav token create --name ci --scope read',
      'mav token create --name me --scope read,write --expires 24h',
    ],
    options: {
      name: { type: 'string', placeholder: 'NAME', description: 'What the token is for' },
      scope: { type: 'string', placeholder: 'LIST', description: 'Any of read,write,generate,admin' },
      expires: {
        type: 'string',
        placeholder: 'DURATION',
        description: 'Such as 24h, 30d, 1h30m (default: never)',
      },
      socket,
      output,
      'passphrase-file': passphraseFile,
    },
    load: () => import('./commands/token-create.ts'),
  },
  'token list': {
    description: 'List tokens',
    examples: ['mav token list', 'mav token list -o json'],
    options: { socket, output, 'passphrase-file': passphraseFile },
    load: () => import('./commands/token-list.ts'),
  },
  'token revoke': {
    arguments: '[id]',
    description: 'Revoke a token, or all of them',
    examples: ['mav token revoke 0123456789abcdef', 'mav token revoke --all'],
    options: {
      all: { type: 'boolean', description: 'Every token there is' },
      socket,
      'passphrase-file': passphraseFile,
    },
    load: () => import('./commands/token-revoke.ts'),
  },
  'key rotate': {
    description: 'Wrap every key under a new key-encryption key',
    examples: ['mav key rotate', 'mav key rotate --passphrase-file ~/pass.txt'],
    options: { socket, 'passphrase-file': passphraseFile },
    load: () => import('./commands/key-rotate.ts'),
  },
  'service install': {
    description: 'Make mav serve a login item: a systemd user unit, or a launchd agent',
    examples: ['mav service install', 'mav service install --print --platform darwin'],
    options: printPlan,
    load: () => import('./commands/service-install.ts'),
  },
  'service uninstall': {
    description: 'Stop and remove the login item; vault and keys stay',
    examples: ['mav service uninstall', 'mav service uninstall --print'],
    options: printPlan,
    load: () => import('./commands/service-uninstall.ts'),
  },
  'service start': {
    description: 'Start the installed service',
    examples: ['mav service start', 'mav service start --print'],
    options: printPlan,
    load: () => import('./commands/service-start.ts'),
  },
  'service stop': {
    description: 'Stop the installed service until the next login',
    examples: ['mav service stop', 'mav service stop --print'],
    options: printPlan,
    load: () => import('./commands/service-stop.ts'),
  },
  'service status': {
    description: 'Show what the service manager says; exit code 0 only while the daemon runs',
    examples: ['mav service status', 'mav service status >/dev/null && echo running'],
    options: {},
    load: () => import('./commands/service-status.ts'),
  },
  'service logs': {
    description: "Show the service's log",
    examples: ['mav service logs', 'mav service logs --follow --lines 20'],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'Go on as lines are added' },
      lines: { type: 'string', short: 'n', placeholder: 'N', description: 'The last N lines (100)' },
    },
    load: () => import('./commands/service-logs.ts'),
  },
  version: {
    description: 'Print the version',
    examples: ['mav version', 'mav --version'],
    options: {},
    load: () => import('./commands/version.ts'),
  },
};
