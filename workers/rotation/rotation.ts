/**
 * Rotates the KEK beside reads and writes. The new generation is current from the beginning; the rows are wrapped again in
 * slices, and the old generations are forgotten at the end. How far that is stands in the database, so a rotation that was
 * interrupted goes on with the next unsealing. Is given the root key until the new KEK is wrapped, and zeroes it then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { keepWraps, reserveWraps } from '../entries/wrap-count.ts';
import type { RootKey } from '../envelope/keys.ts';
import { RequestError } from '../errors/request-error.ts';
import { SealedError } from '../errors/sealed.ts';
import { nowSeconds } from '../json/times.ts';
import { mintKek } from '../keys/keyring.ts';
import { openKeyring } from '../keys/unseal.ts';
import { noteRotation } from '../long-work.ts';
import type { OpenVault } from '../open-vault.ts';
import type { RotationRow } from '../store/columns.ts';
import type { VaultStore } from '../store/vault.ts';
import type { Vault } from '../vault.ts';
import { type Left, RotationSlices } from './slices.ts';

/** Between two slices, for requests that wait and for the other threads. */
const PAUSE_MS = 1;
/** Delay of the next attempt after one that failed, as on a full disk. */
const RETRY_MS = 30_000;

const STOPPED = 'the rotation was interrupted, and goes on when the vault is next opened by mav serve';

/** How a rotation ended. */
export interface RotationEnd {
  readonly generation: number;
  /** What could not be wrapped again, because somebody without the key has changed it. */
  readonly left: Left;
  /** Old generations that are not forgotten, because something is left under them. */
  readonly kept: readonly number[];
}

export interface RotationKind {
  /** The values get new DEKs, too. */
  readonly reencrypts: boolean;
  /** The vault gets a new root key, too. */
  readonly isOfRoot: boolean;
}

/** Stores a new generation under this root key, which it zeroes. `change` runs in the same transaction, before. */
export type StoreGeneration = (rootKey: RootKey, change: (rows: VaultStore) => void) => void;
/** Gets the root key, and calls `store` once. */
export type AddGeneration = (store: StoreGeneration) => Promise<void>;

interface Means {
  /** Called after everything that may have written. */
  readonly onWrite: () => void;
  /** Called when the new generation is current. */
  readonly onCurrent: () => void;
  readonly onEnd: (end: RotationEnd) => Promise<void>;
}

/** One for the writer's thread, which is the only one that writes. */
export class Rotation {
  readonly #vault: Vault;
  readonly #means: Means;
  #isBeginning = false;
  /** Null unless a rotation is under way in this thread. */
  #running: Promise<RotationEnd> | null = null;
  #slices: RotationSlices | null = null;
  #isResting = false;

  constructor(vault: Vault, means: Means) {
    this.#vault = vault;
    this.#means = means;
  }

  /**
   * Begins a rotation, or goes on with one that was interrupted, unless that does less than this one is to: then it is finished
   * first. `add` brings the root key. Returns how to wait for its end. Throws RequestError conflict while one is under way.
   */
  async begin(
    { reencrypts, isOfRoot }: RotationKind,
    add: AddGeneration,
  ): Promise<{ readonly end: Promise<RotationEnd> }> {
    // Of two rotations at once, each would delete the KEK that the other one wraps with.
    if (this.#isBeginning || this.#running !== null)
      throw new RequestError(
        'conflict',
        'the vault is being rotated already; mav status says how far that is',
      );
    this.#isBeginning = true;
    try {
      const { rotation } = await this.#vault.getOpenVault();
      const unfinished = rotation.find();
      const isOther = unfinished !== null && (isOfRoot || (reencrypts && unfinished.reencrypts === 0));
      if (isOther) await this.#start();
      if (isOther || unfinished === null)
        await add((rootKey, change) => this.#storeGeneration(rootKey, reencrypts, change));
      return { end: this.#start() };
    } finally {
      this.#isBeginning = false;
    }
  }

  /**
   * Goes on with a rotation that was interrupted, if there is one. Call it when the vault was unsealed. A short command would end too
   * early, so it leaves this to the daemon.
   */
  resume(): void {
    if (this.#vault.options.readers === 0) return;
    if (this.#isBeginning || this.#running !== null || this.#isResting || this.#vault.isDamaged) return;
    try {
      if (this.#vault.getOpenVaultNow().rotation.find() === null) return;
    } catch {
      // It was sealed again, or cannot be opened.
      return;
    }
    void this.#start().catch(() => {});
  }

  /** Lets no other slice begin, because the thread is about to be ended. */
  rest(): void {
    this.#isResting = true;
  }

  #start(): Promise<RotationEnd> {
    const running = this.#run().finally(() => {
      noteRotation(this.#vault.options.longWork, 0, 0);
      this.#running = null;
      this.#closeSlices();
    });
    this.#running = running;
    running.catch(() => setTimeout(() => this.resume(), RETRY_MS).unref());
    return running;
  }

  /**
   * Stores a new KEK, together with what `change` writes, and shares a keyring that has it too, but does not wrap with it yet. Zeroes
   * the root key. If that is not the root key of this vault, unwrapping the old KEKs fails, and nothing is stored.
   */
  #storeGeneration(rootKey: RootKey, reencrypts: boolean, change: (rows: VaultStore) => void): void {
    try {
      this.#vault.checkWritable();
      const { vault: rows, rotation, keyring, transactions } = this.#vault.getOpenVaultNow();
      const extended = transactions.write(() => {
        change(rows);
        const newest = Math.max(...rows.listKeks().map(({ generation }) => generation));
        const now = nowSeconds();
        rows.insertKek(mintKek(rootKey, keyring.vaultId, newest + 1, now));
        rotation.begin(newest + 1, reencrypts, now);
        return openKeyring(rootKey, keyring.vaultId, rows.listKeks(), newest);
      });
      this.#vault.publish(extended);
    } finally {
      rootKey.fill(0);
      this.#means.onWrite();
    }
  }

  async #run(): Promise<RotationEnd> {
    await this.#makeCurrent();
    this.#means.onCurrent();
    for (;;) {
      const end = this.#workSlice();
      if (end !== null) {
        await this.#means.onEnd(end);
        // A long read may still need what is forgotten. Its thread forgets it with its next request.
        await this.#vault.isKeyringEverywhere();
        return end;
      }
      await sleep(PAUSE_MS);
    }
  }

  /** Waits until every thread has the new KEK, so that none meets a row that it cannot decrypt. Then everything new has it. */
  async #makeCurrent(): Promise<void> {
    for (;;) {
      const { open, row } = this.#look();
      const { keyring } = open;
      if (keyring.current.generation === row.generation) return;
      const isKnown = keyring.entries.some(({ generation }) => generation === row.generation);
      // The writer that had stored it died before any thread heard of it.
      if (!isKnown) await this.#vault.unseal();
      else if ((await this.#vault.isKeyringEverywhere()) && this.#look().open.keyring === keyring)
        this.#vault.publish(keyring.pick(() => true));
    }
  }

  /** Throws SealedError if the vault was sealed, and RequestError if the thread is about to end. */
  #look(): { readonly open: OpenVault; readonly row: RotationRow } {
    if (this.#isResting) throw new RequestError('busy', STOPPED);
    this.#vault.checkWritable();
    const open = this.#openVault();
    const row = open.rotation.find();
    if (row === null) throw new RequestError('conflict', 'another vault was put in the place of this one');
    return { open, row };
  }

  #openVault(): OpenVault {
    try {
      return this.#vault.getOpenVaultNow();
    } catch (error) {
      if (!(error instanceof SealedError) || error.reason !== 'sealed') throw error;
      throw new SealedError('sealed', 'the vault was sealed; the rotation goes on once it is unsealed');
    }
  }

  #workSlice(): RotationEnd | null {
    const { open, row } = this.#look();
    noteRotation(this.#vault.options.longWork, row.done, row.total);
    if (this.#slices?.file !== open.file) {
      this.#closeSlices();
      this.#slices = new RotationSlices(open, () => this.#vault.openAside());
    }
    const slices = this.#slices;
    try {
      const { end, wraps } = open.transactions.write(() => {
        const left = slices.work(open, row);
        const end = left === null ? null : finish(open, row, left);
        return { end, wraps: reserveWraps(open) };
      });
      keepWraps(open, wraps);
      if (end !== null) this.#forget(open, end);
      return end;
    } catch (error) {
      // What it noted of what is left may not hold any more.
      this.#closeSlices();
      throw error;
    } finally {
      this.#means.onWrite();
    }
  }

  #closeSlices(): void {
    this.#slices?.close();
    this.#slices = null;
  }

  /** Drops the KEKs that the database does not have any more. */
  #forget({ keyring }: OpenVault, { generation, kept }: RotationEnd): void {
    this.#vault.publish(
      keyring.pick((head) => head.generation === generation || kept.includes(head.generation)),
    );
  }
}

/**
 * Deletes the old generations, except those under which something is left: whoever repairs such a row, as from a backup, needs
 * them. The next rotation tries again.
 */
function finish({ vault, rotation }: OpenVault, { generation }: RotationRow, left: Left): RotationEnd {
  const kept: number[] = [];
  for (const kek of vault.listKeks()) {
    if (kek.generation === generation) continue;
    if (left.kekIds.has(kek.id.toString('hex'))) kept.push(kek.generation);
    else vault.deleteKek(kek.id);
  }
  rotation.end();
  return { generation, left, kept };
}
