/** Commands on the vault and on its daemon. */
import type { CommandGroup, Options } from '../run/command.ts';
import { KEY_STORE_KINDS } from '../vault/key-store-names.ts';
import { force, listOutput, newPassphraseFile, textOutput } from './options.ts';

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

export const vaultCommands = (): CommandGroup => ({
  init: {
    group: 'Vault',
    description: 'Create a vault',
    examples: ['mav init', 'mav init --key-store passphrase --passphrase-file ~/pass.txt'],
    notes: [
      'On a terminal init shows a recovery code of 24 words, which opens the vault when its key is lost, and asks three of ' +
        'them back. Write it on paper.',
    ],
    options: {
      ...keyStoreOptions,
      'recovery-file': {
        type: 'string',
        placeholder: 'PATH',
        description: 'Write the recovery code to this new file, instead of showing it',
      },
      'no-recovery': { type: 'boolean', description: 'Make no recovery code' },
    },
    load: () => import('../commands/init.ts'),
  },
  serve: {
    group: 'Vault',
    description: 'Serve the vault on its socket until stopped',
    examples: ['mav serve', 'mav serve --idle-seal 15m --max-unsealed 8h'],
    options: {
      init: { type: 'boolean', description: 'Create a vault first if there is none' },
      ...keyStoreOptions,
      'log-format': {
        type: 'string',
        placeholder: 'FORMAT',
        description: 'text (default on a terminal) or json (default elsewhere)',
      },
      'idle-seal': {
        type: 'string',
        ignoresCase: true,
        placeholder: 'TIME',
        description: 'Seal the vault when no secret was asked for in so long, such as 15m (never)',
      },
      'max-unsealed': {
        type: 'string',
        ignoresCase: true,
        placeholder: 'TIME',
        description: 'Seal the vault so long after it was unsealed, such as 8h (never)',
      },
      'seal-on': {
        type: 'string',
        ignoresCase: true,
        placeholder: 'EVENTS',
        description: 'Seal the vault on: suspend, lock (the screen), or suspend,lock (none)',
      },
      'auto-unseal': {
        type: 'boolean',
        description: 'Let the next request unseal a vault that sealed itself',
      },
      'log-requests': { type: 'boolean', description: 'Also log every request in text form, as json does' },
      // The Go program's client starts its daemon with this.
      'no-touchid': { type: 'boolean', description: 'No effect: there is no Touch ID here', hidden: true },
    },
    load: () => import('../commands/serve.ts'),
  },
  vaults: {
    group: 'Vault',
    description: 'List your vaults, and whether a daemon serves each of them',
    examples: ['mav vaults', 'mav --vault work init'],
    notes: [
      'A vault with a name has its own keys, daemon and socket. Its folder is ~/.maestrovaults/NAME. --vault NAME goes with every ' +
        'command; MAV_VAULT says the same for all of them.',
    ],
    options: { output: listOutput },
    load: () => import('../commands/vaults.ts'),
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
  verify: {
    group: 'Vault',
    answersByExitCode: true,
    arguments: '[file]',
    description: 'Open every row of the vault, or of a backup, and name what is damaged',
    examples: ['mav verify', 'mav verify /media/disk/vault.backup'],
    notes: [
      'Every secret, field, old version and deletion is opened, every token verified, and the audit log, too. No value is ' +
        'shown. It goes on after damage. The exit code is 0 if nothing is damaged. Other commands are served meanwhile.',
    ],
    options: {
      output: textOutput,
      'recovery-file': {
        type: 'string',
        placeholder: 'PATH',
        description: 'File with the recovery code, for a backup whose key is not here',
      },
    },
    load: () => import('../commands/verify.ts'),
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
  recover: {
    group: 'Vault',
    description: 'Open the vault with its recovery code when its key is gone, and give it a new key',
    examples: ['mav recover', 'mav recover --recovery-file ~/code.txt --key-store passphrase'],
    notes: [
      'On a new machine put the folder of the vault in its place first (vault.db and audit). The code shows that the vault is ' +
        'yours, so it need not be adopted. Keys that are gone for good are removed.',
    ],
    options: {
      'recovery-file': {
        type: 'string',
        placeholder: 'PATH',
        description: 'File with the recovery code (default: asked for)',
      },
      ...keyStoreOptions,
      ...newPassphraseFile,
    },
    load: () => import('../commands/recover.ts'),
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
  'service backup': {
    group: 'Vault',
    arguments: '[folder]',
    description: 'Have the service manager make a backup every day',
    examples: ['mav service backup /media/disk/backups --daily', 'mav service backup --off'],
    notes: [
      'It runs mav backup FOLDER --keep 30 at noon: a systemd user timer, or a launchd agent. A vault that only a passphrase opens ' +
        'has to be unsealed in a daemon then, unless --passphrase-file is given.',
    ],
    options: {
      daily: { type: 'boolean', description: 'Every day' },
      keep: { type: 'string', placeholder: 'N', description: 'Keep the newest N backups (30)' },
      off: { type: 'boolean', description: 'Make no more; the backups stay' },
      ...printPlan,
    },
    load: () => import('../commands/service-backup.ts'),
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
  'accept-restore': {
    group: 'Vault',
    description: 'Accept a vault that was put back from an older copy, or in which rows were changed',
    examples: ['mav accept-restore', 'mav accept-restore --force'],
    notes: [
      'mav remembers how far each vault was written, in a file beside known-vaults.json. A vault that is behind is not served ' +
        'until you accept it: tokens that you revoked since, and values that you replaced, would be valid again. ' +
        'accept-restore says from when the vault is and how many commits it is behind, names rows that were changed ' +
        'without the key, and asks.',
    ],
    options: { force },
    load: () => import('../commands/accept-restore.ts'),
  },
  destroy: {
    group: 'Vault',
    description: 'Delete the vault with its key, secrets and tokens for ever',
    examples: ['mav destroy', 'mav destroy --force --even-if-key-stays'],
    notes: [
      'A running daemon ends. Copies of the vault (backups) can no longer be opened, unless somebody has its passphrase ' +
        "or a copy of its key file. config.json, files that are not the program's, and vaults that mav restore kept aside stay.",
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
});
