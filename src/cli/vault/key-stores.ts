/** The ways to keep a vault's key, as the command line names them. A kind of slot that is not here does not compile. */
import type { SlotKind } from '../../../workers/messages.ts';

/** Where a key is: the vault's id, and the path of the key file. */
interface KeyPlace {
  readonly id?: string | null | undefined;
  readonly file?: string | null | undefined;
}

interface KeyStore {
  /** The option that goes with this kind alone. */
  readonly option?: 'key-file' | 'passphrase-file';
  /** Where a new vault has its key. */
  readonly describePlace: (key: KeyPlace) => string;
  /** What a vault loses when it is destroyed. */
  readonly describeKey: (key: KeyPlace) => string;
  /** What the owner of a new vault has to do. */
  readonly duty?: string;
  /** What this kind does not protect against: said where it was chosen for somebody who did not ask for it. */
  readonly warning?: string;
}

export const KEY_STORES: Readonly<Record<SlotKind, KeyStore>> = {
  keychain: {
    describePlace: () => 'the OS keychain',
    describeKey: ({ id }) => `its key in the OS keychain (service MaestroVault, account root-key:${id}:…)`,
  },
  passphrase: {
    option: 'passphrase-file',
    describePlace: () => 'your passphrase',
    describeKey: () => 'its key under your passphrase',
  },
  file: {
    option: 'key-file',
    describePlace: ({ file }) => `the file ${file}`,
    describeKey: ({ file }) => `its key file ${file ?? ''}`,
    duty: 'Keep a copy of the key file in a safe place: without it the vault is lost.',
    warning:
      'Warning: whoever has both the vault and the key file can read every secret. The key file protects a copy of\n' +
      "the vault's folder (a backup, a synced folder), but not against somebody who reads all your files or has your\n" +
      'disk. A keychain or a passphrase does: mav init --key-store passphrase.',
  },
  recovery: {
    describePlace: () => 'its recovery code',
    describeKey: () => 'its key under its recovery code',
  },
};

/** Returns what is known of a kind by the name that the daemon gives it; null for a kind that this version does not know. */
export function findKeyStore(kind: string): KeyStore | null {
  return Object.hasOwn(KEY_STORES, kind) ? KEY_STORES[kind as SlotKind] : null;
}
