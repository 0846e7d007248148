/** The kinds of key stores by name. Apart from key-stores.ts because every command loads the table that lists them. */
import type { SlotKind } from '../../../workers/messages.ts';

/** In the order in which help names them. */
const KINDS: Readonly<Record<SlotKind, true>> = {
  keychain: true,
  passphrase: true,
  file: true,
  recovery: true,
};

/** What a vault is opened with from day to day. */
export type DailyKind = Exclude<SlotKind, 'recovery'>;

/** What `mav key add` takes. */
export const KEY_KINDS = Object.keys(KINDS) as SlotKind[];

export const KEY_STORE_KINDS = KEY_KINDS.filter((kind): kind is DailyKind => kind !== 'recovery');

/** What `--key-store` takes. */
export const KEY_STORE_NAMES: readonly ('auto' | DailyKind)[] = ['auto', ...KEY_STORE_KINDS];
