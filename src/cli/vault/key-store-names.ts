/** The kinds of key stores by name. Apart from key-stores.ts because every command loads the table that lists them. */
import type { SlotKind } from '../../../workers/messages.ts';

/** In the order in which help names them. */
const KINDS: Readonly<Record<SlotKind, true>> = { keychain: true, passphrase: true, file: true };

export const KEY_STORE_KINDS = Object.keys(KINDS) as SlotKind[];

/** What `--key-store` takes. */
export const KEY_STORE_NAMES: readonly ('auto' | SlotKind)[] = ['auto', ...KEY_STORE_KINDS];
