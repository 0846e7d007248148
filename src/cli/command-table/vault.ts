/** Commands on the vault and on its daemon. */
import type { Command, Options } from '../run/command.ts';
import { KEY_STORE_KINDS } from '../vault/key-store-names.ts';
import { force, textOutput } from './options.ts';

const printPlan: Options = {
  print: { type: 'boolean', description: 'Show what would be written and run; change nothing' },
  platform: {
    type: 'string',
    ignoresCase: true,
    placeholder: 'linux|darwin',
    description: 'With --print: show it for this platform',
  },
};

const keyStoreOptions: Options = {
  'key-store': {
    type: 'string',
    ignoresCase: true,
    placeholder: 'KIND',
    description: `Where the key is kept: ${KEY_STORE_KINDS.join(', ')} or auto (default)`,
  },
  'key-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'With --key-store file: path of the new key file',
  },
  'allow-tracer': { type: 'boolean', description: 'Open the vault even if a debugger is attached' },
};

export const vaultCommands: Readonly<Record<string, Command>> = {
  init: {
    group: 'Vault',
    description: 'Create a vault',
    examples: ['mav init', 'mav init --key-store passphrase --passphrase-file ~/pass.txt'],
    options: keyStoreOptions,
    load: () => import('../commands/init.ts'),
  },
  serve: {
    group: 'Vault',
    description: 'Serve the vault on its socket until stopped',
    examples: ['mav serve', 'mav serve --socket ~/run/vault.sock'],
    options: {
      init: { type: 'boolean', description: 'Create a vault first if there is none' },
      ...keyStoreOptions,
      'log-format': {
        type: 'string',
        placeholder: 'FORMAT',
        description: 'text (default on a terminal) or json (default elsewhere)',
      },
      'log-requests': { type: 'boolean', description: 'Also log every request in text form, as json does' },
      // The Go program's client starts its daemon with this.
      'no-touchid': { type: 'boolean', description: 'No effect: there is no Touch ID here', hidden: true },
    },
    load: () => import('../commands/serve.ts'),
  },
  status: {
    group: 'Vault',
    answersByExitCode: true,
    description: 'Show whether the vault can be used, and where everything is',
    examples: ['mav status', 'mav status >/dev/null && echo usable'],
    notes: [
      'The exit code is 0 only if the vault can be used, with a daemon or without one. status never asks for a ' +
        'passphrase: without a daemon and without --passphrase-file, a vault that needs one counts as sealed (exit code 5).',
    ],
    options: { output: textOutput },
    load: () => import('../commands/status.ts'),
  },
  doctor: {
    group: 'Vault',
    answersByExitCode: true,
    toleratesConfig: true,
    description: 'Check machine, vault and daemon, and say what to do; change nothing',
    examples: ['mav doctor', 'mav doctor -o json'],
    notes: ['The exit code is 0 if no check fails. A warning is not a failure.'],
    options: { output: textOutput },
    load: () => import('../commands/doctor.ts'),
  },
  unseal: {
    group: 'Vault',
    aliases: ['unlock'],
    description: 'Let the running daemon open its vault',
    examples: ['mav unseal', 'mav unseal --passphrase-file ~/pass.txt'],
    options: {},
    load: () => import('../commands/unseal.ts'),
  },
  seal: {
    group: 'Vault',
    aliases: ['lock'],
    description: 'Make the running daemon forget its keys',
    examples: ['mav seal', 'mav lock'],
    options: {},
    load: () => import('../commands/seal.ts'),
  },
  'service install': {
    group: 'Vault',
    description: 'Make mav serve a login item: a systemd user unit, or a launchd agent',
    examples: ['mav service install', 'mav service install --print --platform darwin'],
    options: printPlan,
    load: () => import('../commands/service-install.ts'),
  },
  'service uninstall': {
    group: 'Vault',
    description: 'Stop and remove the login item; the vault and its keys stay',
    examples: ['mav service uninstall', 'mav service uninstall --print'],
    options: printPlan,
    load: () => import('../commands/service-uninstall.ts'),
  },
  'service start': {
    group: 'Vault',
    description: 'Start the installed service',
    examples: ['mav service start', 'mav service start --print'],
    options: printPlan,
    load: () => import('../commands/service-start.ts'),
  },
  'service stop': {
    group: 'Vault',
    description: 'Stop the installed service until the next login',
    examples: ['mav service stop', 'mav service stop --print'],
    options: printPlan,
    load: () => import('../commands/service-stop.ts'),
  },
  'service status': {
    group: 'Vault',
    answersByExitCode: true,
    description: 'Show what the service manager says; exit code 0 only while the daemon runs',
    examples: ['mav service status', 'mav service status >/dev/null && echo running'],
    options: { output: textOutput },
    load: () => import('../commands/service-status.ts'),
  },
  'service logs': {
    group: 'Vault',
    description: "Show the service's log",
    examples: ['mav service logs', 'mav service logs --follow --lines 20'],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'Go on printing as lines are added' },
      lines: {
        type: 'string',
        short: 'n',
        placeholder: 'N',
        description: 'Number of last lines to print (100)',
      },
    },
    load: () => import('../commands/service-logs.ts'),
  },
  adopt: {
    group: 'Vault',
    description: 'Accept the vault in this folder as yours, if mav knew none or another one there',
    examples: ['mav adopt', 'mav adopt --home /media/backup/maestrovault'],
    notes: [
      'mav remembers which vault is in which folder, and where its key is kept, in ' +
        '$XDG_CONFIG_HOME/maestrovault/known-vaults.json (~/.config without XDG_CONFIG_HOME). So nobody who can exchange ' +
        "the vault's files can give you another vault unnoticed. A vault that was moved, copied or restored from " +
        'elsewhere is refused until you adopt it. adopt shows what it found and what was known, and asks.',
    ],
    options: { force },
    load: () => import('../commands/adopt.ts'),
  },
  destroy: {
    group: 'Vault',
    description: 'Delete the vault with its key, secrets and tokens for ever',
    examples: ['mav destroy', 'mav destroy --force --even-if-key-stays'],
    notes: [
      'A running daemon ends. Copies of the vault (backups) can no longer be opened, unless somebody has its passphrase ' +
        "or a copy of its key file. config.json and files that are not the program's stay.",
    ],
    options: {
      force,
      'even-if-key-stays': {
        type: 'boolean',
        description: 'Go on if the key store does not delete the key',
      },
    },
    load: () => import('../commands/destroy.ts'),
  },
};
