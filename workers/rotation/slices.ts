/**
 * The steps of a rotation, in slices that are short enough for requests to come between them. Each slice is a transaction, which
 * also notes how far the rotation is.
 */
import type { OpenVault } from '../open-vault.ts';
import type { RowSet } from '../row-set/row-set.ts';
import type { RotationRow } from '../store/columns.ts';
import type { Db } from '../store/database.ts';
import { type LeftRow, listLeftOfOthers, listLeftOfSecrets } from '../store/left-wraps.ts';
import { PayloadStore } from '../store/payloads.ts';
import { WrapStore } from '../store/wraps.ts';
import { reencryptSecret } from './reencrypt-secret.ts';
import { SetKeyRenewal } from './renew-set-key.ts';
import { rewrapOthers } from './rewrap-others.ts';
import { rewrapSecret } from './rewrap-secret.ts';

/** A write that arrives during a slice waits for its end. */
const SLICE_MS = 8;
/** Secrets that one slice wraps again at the most, and looks at when it looks for what is left. */
const SLICE_SECRETS = 256;
const SLICE_LOOKED_AT = 2_048;
/** The most rows that a report names. */
const MAX_NAMED = 100;

/** What could not be wrapped again. */
export interface Left {
  readonly named: LeftRow[];
  count: number;
  /** The ids, in hex, of the KEKs that are needed for it. */
  readonly kekIds: Set<string>;
}

/** What is left of the secrets up to this id is known. */
interface Looking extends Left {
  doneId: number;
}

export class RotationSlices {
  /** Of which vault file the statements are. */
  readonly file: OpenVault['file'];
  readonly #wraps: WrapStore;
  readonly #payloads: PayloadStore;
  readonly #openAside: () => Db;
  #looking: Looking = startLooking();
  #renewal: SetKeyRenewal | null = null;
  /** Whether the rows of the stage `others` are done. */
  #hasOthers = false;

  /** `openAside` opens the file once more, for reading. */
  constructor({ db, file }: OpenVault, openAside: () => Db) {
    this.file = file;
    this.#openAside = openAside;
    this.#wraps = new WrapStore(db);
    this.#payloads = new PayloadStore(db);
  }

  /** Does the next part of the work, inside a transaction. Returns what is left at the end of the rotation; before, null. */
  work(open: OpenVault, row: RotationRow): Left | null {
    if (row.stage === 'secrets') this.#rewrapSecrets(open, row);
    else if (row.stage === 'others') this.#workOnOthers(open, row);
    else return this.#lookForLeft(open);
    return null;
  }

  /** Lets go of what it reads with. */
  close(): void {
    this.#renewal?.close();
    this.#renewal = null;
  }

  /** Interrupted in this stage, a rotation begins it again. */
  #workOnOthers(open: OpenVault, row: RotationRow): void {
    if (!this.#hasOthers) {
      rewrapOthers(open);
      this.#hasOthers = true;
      return;
    }
    const left: LeftRow[] = [];
    if (row.reencrypts === 1 && open.rowSet !== null) {
      const end = this.#renewSetKey(open, open.rowSet);
      if (end === null) return;
      const { id: kekId } = open.keyring.current;
      if (end.problem !== null) left.push({ table: 'database', detail: end.problem, kekId });
    }
    open.rotation.update({ ...row, stage: 'left', done: row.total });
    this.#looking = { ...startLooking(), named: left, count: left.length };
  }

  #renewSetKey(open: OpenVault, rowSet: RowSet): ReturnType<SetKeyRenewal['work']> {
    const endMs = performance.now() + SLICE_MS;
    if (this.#renewal?.isGood(open) !== true) {
      this.close();
      this.#renewal = new SetKeyRenewal(open, rowSet, this.#openAside());
    }
    const end = this.#renewal.work(endMs);
    if (end !== null) this.close();
    return end;
  }

  #rewrapSecrets({ rotation, keyring }: OpenVault, row: RotationRow): void {
    const endMs = performance.now() + SLICE_MS;
    // Those that came since the rotation began, too: until every thread had the new KEK, the old one wrapped them.
    const ids = this.#wraps.nextIds(row.doneId, SLICE_SECRETS);
    let { doneId, done } = row;
    for (const id of ids) {
      done +=
        row.reencrypts === 1
          ? reencryptSecret({ wraps: this.#wraps, payloads: this.#payloads }, keyring, id)
          : rewrapSecret(this.#wraps, keyring, id);
      doneId = id;
      if (performance.now() > endMs) break;
    }
    const stage = ids.length === 0 ? 'others' : 'secrets';
    // Writes that came meanwhile have added versions.
    rotation.update({ ...row, stage, doneId, done: Math.min(done, row.total) });
  }

  /**
   * Looks at every row, not only at those that this process has wrapped: nothing that a KEK still holds may lose it, whatever
   * happened since the rotation began.
   */
  #lookForLeft({ db, keyring }: OpenVault): Left | null {
    const looking = this.#looking;
    const { id: current } = keyring.current;
    const upTo = this.#wraps.nextIds(looking.doneId, SLICE_LOOKED_AT).at(-1);
    if (upTo === undefined) {
      this.#note(listLeftOfOthers(db, current));
      return looking;
    }
    this.#note(listLeftOfSecrets(db, current, looking.doneId, upTo));
    looking.doneId = upTo;
    return null;
  }

  #note(rows: readonly LeftRow[]): void {
    const { named, kekIds } = this.#looking;
    this.#looking.count += rows.length;
    named.push(...rows.slice(0, MAX_NAMED - named.length));
    for (const { kekId } of rows) kekIds.add(Buffer.from(kekId).toString('hex'));
  }
}

function startLooking(): Looking {
  return { named: [], count: 0, kekIds: new Set(), doneId: 0 };
}
