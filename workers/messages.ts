/**
 * The wall: everything that crosses between the request thread (src/) and the worker pool (workers/).
 * Types only. src/ may take from workers/ nothing but `import type` of this file, and workers/ takes nothing
 * from src/, so what stands here is the whole of what either side knows of the other.
 *
 * Secrets it may hold: bytes only. A `Call.body` is a request body nobody has parsed yet, `BatchResult.bytes`
 * are response bodies ready to be sent. Both are transferred, never cloned, and whoever hands them on zeroes them.
 */

import type { MessagePort } from 'node:worker_threads';

/** What a token permits. `admin` implies the others; `session` is the command line's own and is never stored. */
export type Scope = 'read' | 'write' | 'generate' | 'admin' | 'session';

/** Who asks, as far as the request thread has to know. */
export interface Principal {
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Unix time in seconds; null where the token does not expire. */
  readonly expiresAt: number | null;
  /** Whether what it writes counts as accepted by the owner, without being asked. */
  readonly isTrusted?: boolean;
}

/** A principal with the SHA-256 of its token (64 hex characters), by which the request thread finds it. */
export interface PrincipalRow extends Principal {
  readonly tokenHash: string;
}

/** What a reply changes in the request thread's table of principals. */
export type PrincipalChange =
  | { readonly kind: 'replace-all'; readonly rows: readonly PrincipalRow[] }
  | { readonly kind: 'grant'; readonly row: PrincipalRow }
  | { readonly kind: 'revoke'; readonly id: string };

/** The operations of the reader pool: they change nothing. */
export type ReadOperation =
  | 'secrets.list'
  | 'secrets.get'
  | 'secrets.batchGet'
  | 'secrets.search'
  | 'fields.list'
  | 'fields.get'
  | 'secrets.export'
  | 'values.get'
  | 'fieldValues.get'
  | 'tokens.list'
  | 'vault.info'
  | 'vault.check';

/** The operations of the writer that run inside its transaction, one savepoint each. */
export type WriteOperation =
  | 'secrets.put'
  | 'secrets.patch'
  | 'secrets.delete'
  | 'secrets.rename'
  | 'secrets.accept'
  | 'secrets.import'
  | 'fields.put'
  | 'fields.putMany'
  | 'fields.delete'
  | 'values.put'
  | 'fieldValues.put'
  | 'passwords.generate'
  | 'tokens.create'
  | 'tokens.revoke'
  | 'tokens.touch';

/** The operations on the vault's own state; each travels alone, never inside a batch. */
export type ControlOperation =
  | 'vault.status'
  | 'vault.unseal'
  /** The daemon's own, after a thread has died: unseals again what nobody sealed and nobody has the keys of any more. */
  | 'vault.resume'
  | 'vault.seal'
  | 'vault.init'
  /** The command line's own, without a daemon: what the vault here is, and writing down that it is the user's. */
  | 'vault.inspect'
  | 'vault.adopt'
  | 'vault.probeKeychain'
  | 'keys.rotate'
  | 'vault.destroy';

export type Operation = ReadOperation | WriteOperation | ControlOperation;

/** How much of a list one reply holds: about as much as the row that reaches one of them makes it. */
export interface PageBounds {
  readonly rows: number;
  readonly bytes: number;
}

/** What names a secret: a name is unique within its environment. */
export interface SecretName {
  readonly name: string;
  /** Empty for secrets without an environment. */
  readonly environment: string;
}

/** Who a write is bound to. */
export interface Author {
  /** `session` for the owner's own, else the token's id. */
  readonly id: string;
  /** Whether what it writes counts as accepted by the owner. */
  readonly isTrusted: boolean;
}

/** One request, routed and authenticated. */
export interface Call {
  readonly operation: Operation;
  /** Decoded path and query parameters by name; absent ones are absent. Lengths and contents are not checked yet. */
  readonly params: Readonly<Record<string, string>>;
  /** The request body, unparsed; null where none was sent. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** Whether the principal may replace a secret that exists (the route table's `replaceScope`). */
  readonly mayReplace: boolean;
  /** Who writes; absent: nobody whose writing counts as the owner's. */
  readonly author?: Author;
  /** The `If-Match` and `If-None-Match` request headers, unparsed. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** One 32-bit word: not 0 once the client has gone away, and the call is not to be carried out. Absent: it is in any case. */
  readonly cancel?: SharedArrayBuffer;
  /** Where the request thread puts a list together from several replies; a `limit` in `params` is the client's own. */
  readonly page?: PageBounds;
}

/** Why an operation failed; `http/errors.ts` maps each to a status, clients and the command line map by it. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'headers_too_large'
  | 'integrity'
  | 'internal'
  | 'sealed'
  | 'busy'
  | 'disk_full';

/**
 * Why the vault is sealed, or what else tells failures of one code apart. `src/remedies.ts` says what to do about each, so
 * that nothing has to be read out of a message.
 */
export type Reason =
  /** Somebody sealed it. */
  | 'sealed'
  /** It is being unsealed at this moment. */
  | 'unsealing'
  /** The threads that had the keys died. */
  | 'keys_lost'
  | 'needs_passphrase'
  | 'wrong_passphrase'
  /** The passphrase file, or the credential, cannot be read or holds another passphrase. */
  | 'passphrase_file'
  /** There is none, it is locked, or it did not answer in time. */
  | 'keychain_unavailable'
  | 'keychain_entry_missing'
  | 'key_file_missing'
  | 'key_file_unreadable'
  | 'key_file_exposed'
  | 'key_file_foreign'
  /** Another process traces the one that would hold the keys. */
  | 'traced'
  /** What the key store holds is not the root key of this vault. */
  | 'wrong_key'
  /** The key file lies in the vault's folder, so that whoever writes that folder may have laid it there. */
  | 'key_file_inside'
  /** The database cannot be used; the message says what to do. */
  | 'unusable'
  /** Nothing is remembered of a vault at this path. */
  | 'unknown_vault'
  /** The vault at this path is not the one that is remembered. */
  | 'other_vault'
  | 'destroyed'
  /** The vault was not destroyed because its key store does not let go of the key. */
  | 'key_kept'
  | 'keychain_kept'
  /** Of a batch of reads: nothing was done, as its answer or those before it are large. The pool asks again. */
  | 'later'
  /** The client gave up before the request was carried out; nothing of it was. */
  | 'cancelled';

/** An item of a list in a request body, and what is wrong with it. */
export interface WrongItem {
  /** The member that is the list. */
  readonly list: string;
  /** Counted from 0. */
  readonly index: number;
  /** The message without the place of the item. */
  readonly problem: string;
  /** The index of an earlier item with the same name and environment, where that is the problem. */
  readonly same_as?: number;
}

/** A failed call. `message` may name a member, a length or a limit; never content. */
export interface Failure {
  readonly ok: false;
  readonly code: ErrorCode;
  /** What is wrong; with a `reason`, without what to do about it. */
  readonly message: string;
  readonly reason?: Reason | undefined;
  /** The member of the body, or the parameter, that is wrong; absent where it is not a single one. */
  readonly member?: string | undefined;
  /** Beside `member`: what is wrong with it, without its name. With the code `too_large` a sentence, else a predicate. */
  readonly problem?: string | undefined;
  /** The item of a list in the body that is wrong; absent where it is not a single one. */
  readonly at?: WrongItem | undefined;
  /** For the log only: what an `internal` or `integrity` failure was about (names, never values). */
  readonly detail?: string;
  /** What SQLite found wrong with the database file. */
  readonly damage?: string;
}

/** A call that succeeded; its body lies at `offset`, `length` bytes long, in the batch's bytes. */
export interface Success {
  readonly ok: true;
  readonly offset: number;
  readonly length: number;
  /** Where the next page starts, when a list has one. A page is a JSON array with nothing around it. */
  readonly cursor?: string;
  /** The secret's entity tag, without quotes. */
  readonly etag?: string;
  readonly principals?: PrincipalChange;
  /** For the log only: what was passed over, by id. */
  readonly warning?: string;
  /** What SQLite found wrong with the database file; the answer is without what could not be read. */
  readonly damage?: string;
}

export type Reply = Success | Failure;

/** Calls that arrived together travel together, and come back together in the same order. */
export type Batch = readonly Call[];

export interface BatchResult {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly replies: readonly Reply[];
}

/** A message to a worker thread. Each gets a ThreadResult. */
export type ThreadMessage =
  /** The result comes once the thread has loaded. */
  | { readonly kind: 'hello' }
  /** The last message, before the thread is ended. The result comes once its event loop has gone round. */
  | { readonly kind: 'rest' }
  /** `isLong`: a thread works on one such batch at a time, and short batches go to other threads. */
  | { readonly kind: 'batch'; readonly batch: Batch; readonly isLong: boolean };

export interface ThreadResult {
  /** The number that the message came with. */
  readonly id: number;
  /** Empty for a message that is not a batch; null if the thread's code failed. */
  readonly result: BatchResult | null;
}

/** What the keeper hands a thread. */
export type ThreadTask =
  /** Where requests come from. */
  | { readonly kind: 'requests'; readonly port: MessagePort }
  /**
   * One end of a channel between a reader and the writer, over which the two share the keyring. `id`: the other thread's;
   * `port` null: it has ended.
   */
  | { readonly kind: 'peer'; readonly id: number; readonly port: MessagePort | null };

/** A key slot, as far as it can be told without a key. */
export interface KnownSlot {
  readonly kind: SlotKind;
  /** The key file's path, of a `file` slot; else null. */
  readonly location: string | null;
}

/** What tells a vault from another one without a key. The member names are those of known-vaults.json. */
export interface KnownVault {
  /** 32 hexadecimal digits. */
  readonly vault_id: string;
  readonly slots: readonly KnownSlot[];
  /** The version of its tables. */
  readonly schema: number;
}

/** How large one entry may be: how many fields, and how many bytes its value, fields and metadata have together. */
export interface EntryLimits {
  readonly fields: number;
  readonly bytes: number;
}

/** What a worker thread is started with (`workerData`). */
export interface WorkerOptions {
  /** Absolute path of vault.db. */
  readonly databasePath: string;
  /**
   * What the user's list of known vaults says of this path, read before any thread started; null where it says nothing.
   * Every thread compares each file that it opens with it, so that a file which is exchanged later is refused too.
   */
  readonly known: KnownVault | null;
  /** Absolute path of that list, outside of the vault's folder. Only the writer writes it. */
  readonly knownVaultsPath: string;
  /** How many threads of its pools were started up to this one: what a later writer does outranks an earlier one's. */
  readonly startNumber: number;
  /** Where a `passphrase` slot may read its passphrase; null: only from an unseal call's body. */
  readonly passphraseFile: string | null;
  /** systemd's `$CREDENTIALS_DIRECTORY`; null where there is none. */
  readonly credentialsDirectory: string | null;
  /** How long a call of the OS keychain may take. */
  readonly keychainTimeoutMs: number;
  /** Below the program's own, where the owner wants less; absent: those. */
  readonly entryLimits?: Partial<EntryLimits>;
  /** Whether the vault is opened although another process traces this one. */
  readonly mayBeTraced: boolean;
  /** How many reader threads there are; 0: the writer's thread reads too. */
  readonly readers: number;
  /** One 32-bit word that all threads see: not 0 once one of them found the database file damaged. */
  readonly damage: SharedArrayBuffer;
  /**
   * Four 32-bit words that all threads see: of long writing work how many steps are done and how many there are, 0 while
   * there is none; then the same of long reading work.
   */
  readonly longWork: SharedArrayBuffer;
}

/** An import or a rotation, of which the writer does one at a time; a check. */
export type LongWorkKind = 'writing' | 'reading';

/** The ways a vault can hold its root key. */
export type SlotKind = 'keychain' | 'passphrase' | 'file';
