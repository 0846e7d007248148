/** The writer's part in what the account has seen of the vault: it compares when the vault is unsealed, and writes commits down later. */
import type { Keyring } from '../keys/keyring.ts';
import type { RowSetStore } from '../store/row-set.ts';
import { type Behind, findBehind, refuseBehind } from './check-epoch.ts';
import { forgetEpoch, type KnownEpoch, readKnownEpoch, writeKnownEpoch } from './known-epochs.ts';
import type { Committed } from './row-set.ts';

export interface SeenPlaces {
  readonly databasePath: string;
  /** The list of known vaults, beside which the files lie. */
  readonly knownVaultsPath: string;
  /** The vault's folder. */
  readonly folder: string;
}

export class SeenEpoch {
  readonly #places: SeenPlaces;
  /** What is still to be written down. */
  #untold: Committed | null = null;

  constructor(places: SeenPlaces) {
    this.#places = places;
  }

  read(vaultId: Uint8Array): KnownEpoch | null {
    const { knownVaultsPath, folder } = this.#places;
    return readKnownEpoch(knownVaultsPath, folder, vaultId);
  }

  /** Returns how far the vault is behind; null if it is not. */
  find(rows: RowSetStore, keyring: Keyring): Behind | null {
    return findBehind(rows, keyring, this.read(keyring.vaultId));
  }

  /** Throws SealedError if the vault was put back from an older copy. A vault that nothing is known of is seen from now on. */
  compare(rows: RowSetStore, keyring: Keyring): void {
    const known = this.read(keyring.vaultId);
    refuseBehind(this.#places.databasePath, findBehind(rows, keyring, known), known);
    const row = rows.read();
    if (row !== null && row.epoch !== known?.epoch) this.note({ vaultId: keyring.vaultId, row });
  }

  /** Notes a commit that is on disk. */
  note(committed: Committed): void {
    this.#untold = committed;
  }

  /** Writes the last commit down, if that was not done. `isLast`: the process is about to end. */
  tell(isLast: boolean): void {
    const untold = this.#untold;
    this.#untold = null;
    if (untold === null) return;
    const { knownVaultsPath, folder } = this.#places;
    try {
      writeKnownEpoch(knownVaultsPath, folder, untold.vaultId, untold.row, isLast);
    } catch {
      // What is known stays behind, and the next commit is another attempt.
    }
  }

  /** The vault was destroyed. */
  forget(vaultId: Uint8Array): void {
    this.#untold = null;
    forgetEpoch(this.#places.knownVaultsPath, this.#places.folder, vaultId);
  }
}
