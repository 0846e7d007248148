/**
 * The wall: the types of everything that crosses between the request thread (src/) and the worker pool (workers/). src/ takes
 * nothing from workers/ but `import type` of this file, and workers/ takes nothing from src/. So neither side knows more of
 * the other than this file says.
 *
 * Secrets cross only as bytes: `Call.body` is a request body that nobody has parsed, `BatchResult.bytes` are finished
 * response bodies. Both are transferred, never cloned. The side that receives them zeroes them.
 */

import type { MessagePort } from 'node:worker_threads';

/**
 * What a token permits. `admin` implies the others. Never stored: `session` is the command line's own, and every token has
 * `any`.
 */
export type Scope = 'any' | 'read' | 'write' | 'generate' | 'admin' | 'session';

/** What a limited token may reach. An absent list limits nothing. */
export interface Limits {
  /** The only environments. */
  readonly environments?: readonly string[];
  /** Globs of the only names. */
  readonly names?: readonly string[];
  /** Globs of the only fields. The empty name stands for a secret's own value. */
  readonly fields?: readonly string[];
}

/** A principal, as far as the request thread has to know it. */
export interface Principal {
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Unix time in seconds; null if the token does not expire. */
  readonly expiresAt: number | null;
  /** Whether everything that it writes counts as accepted by the owner. */
  readonly isTrusted?: boolean;
  /** Unix time in seconds; absent if the token is valid from the beginning. */
  readonly notBefore?: number;
  /** How often the token may be used; absent: as often as wanted. */
  readonly maxUses?: number;
  /** The JSON of a list of Limits, all of which hold; absent for a token that may reach everything. */
  readonly limits?: string;
}

/** A principal with the SHA-256 of its token (64 hex characters), by which the request thread finds it. */
export interface PrincipalRow extends Principal {
  readonly tokenHash: string;
}

/** A change of the request thread's table of principals. */
export type PrincipalChange =
  | { readonly kind: 'replace-all'; readonly rows: readonly PrincipalRow[] }
  | { readonly kind: 'grant'; readonly row: PrincipalRow }
  | { readonly kind: 'revoke'; readonly id: string }
  | { readonly kind: 'several'; readonly changes: readonly PrincipalChange[] };

/** The operations of the reader pool: they change nothing. */
export type ReadOperation =
  | 'secrets.list'
  | 'secrets.get'
  | 'secrets.batchGet'
  | 'secrets.search'
  | 'secrets.versions'
  | 'secrets.deleted'
  | 'fields.list'
  | 'fields.get'
  | 'secrets.export'
  | 'values.get'
  | 'fieldValues.get'
  | 'tokens.list'
  | 'tokens.get'
  | 'tokens.self'
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
  | 'secrets.rollback'
  | 'secrets.restore'
  | 'secrets.purge'
  | 'fields.put'
  | 'fields.putMany'
  | 'fields.delete'
  | 'values.put'
  | 'fieldValues.put'
  | 'passwords.generate'
  | 'tokens.create'
  | 'tokens.rotate'
  /** Stores uses of a token as spent, before they are answered. */
  | 'tokens.reserve'
  | 'tokens.revoke'
  | 'tokens.touch';

/** What made a version of a secret. */
export type Change =
  | 'set'
  | 'edit'
  | 'fields'
  | 'rename'
  | 'import'
  | 'generate'
  | 'rollback'
  | 'delete'
  | 'restore';

/** The operations on the vault's own state; each travels alone, never inside a batch. */
export type ControlOperation =
  | 'vault.status'
  | 'vault.unseal'
  /** For the daemon alone, after the threads with the keys died: unseals the vault again, unless somebody sealed it. */
  | 'vault.resume'
  | 'vault.seal'
  | 'vault.init'
  /** For a command without a daemon: `inspect` says what the vault here is, `adopt` records that it is the user's. */
  | 'vault.inspect'
  | 'vault.adopt'
  | 'vault.probeKeychain'
  | 'keys.rotate'
  | 'vault.destroy';

export type Operation = ReadOperation | WriteOperation | ControlOperation;

/** The bounds of one reply of a list. The row that reaches one of them is the last. */
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

/** The principal to which a write is bound. */
export interface Author {
  /** `session` for the owner, else the id of the token. */
  readonly id: string;
  /** Whether everything that it writes counts as accepted by the owner. */
  readonly isTrusted: boolean;
}

/** One request, routed and authenticated. */
export interface Call {
  readonly operation: Operation;
  /** Decoded path and query parameters that were given, by name. Their lengths and contents are not checked yet. */
  readonly params: Readonly<Record<string, string>>;
  /** The request body, unparsed; null if none was sent. */
  readonly body: Uint8Array<ArrayBuffer> | null;
  /** Whether the principal may replace a secret that exists (the route table's `replaceScope`). */
  readonly mayReplace: boolean;
  /** The author of a write. Absent: no principal, and the write does not count as accepted by the owner. */
  readonly author?: Author;
  /** What the principal may reach (`Principal.limits`); absent: everything. */
  readonly limits?: string;
  /** The `If-Match` and `If-None-Match` request headers, unparsed. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** One 32-bit word. Not 0: the client has gone away, so the call is not carried out. Absent: it is always carried out. */
  readonly cancel?: SharedArrayBuffer;
  /** Set if the request thread makes a list of several replies. A `limit` in `params` is the client's. */
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
  | 'gone'
  | 'precondition_failed'
  | 'too_large'
  | 'headers_too_large'
  | 'integrity'
  | 'internal'
  | 'sealed'
  | 'busy'
  | 'disk_full';

/**
 * Tells failures of one code apart, most of all why the vault is sealed. `src/remedies.ts` says what to do about each, so
 * that no program has to read messages.
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
  /** There is no keychain, it is locked, or it did not answer in time. */
  | 'keychain_unavailable'
  | 'keychain_entry_missing'
  | 'key_file_missing'
  | 'key_file_unreadable'
  | 'key_file_exposed'
  | 'key_file_foreign'
  /** Another process traces the one that would hold the keys. */
  | 'traced'
  /** The prebuilt libsodium, without which no vault is made or opened, does not load on this system. */
  | 'unsupported'
  /** What the key store holds is not the root key of this vault. */
  | 'wrong_key'
  /** The key file lies in the vault's folder, so another user who may write that folder could have put it there. */
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
  /** In a batch of reads: nothing was done, because this reply or those before it are large. The pool asks again. */
  | 'later'
  /** The client gave up, and nothing of the request was done. */
  | 'cancelled';

/** A wrong item of a list in a request body. */
export interface WrongItem {
  /** The member that is the list. */
  readonly list: string;
  /** Counted from 0. */
  readonly index: number;
  /** What is wrong: the message without the place of the item. */
  readonly problem: string;
  /** The index of an earlier item with the same name and environment, if that is the problem. */
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
  /** The item of a list in the body that is wrong; absent if it is not a single one. */
  readonly at?: WrongItem | undefined;
  /** For the log only: what an `internal` or `integrity` failure was about (names, never values). */
  readonly detail?: string;
  /** What SQLite found wrong with the database file. */
  readonly damage?: string;
}

/** A call that succeeded. Its response body is the `length` bytes at `offset` in the bytes of the batch. */
export interface Success {
  readonly ok: true;
  readonly offset: number;
  readonly length: number;
  /** Where the next page of a list starts; absent on the last page. A page is a JSON array with nothing around it. */
  readonly cursor?: string;
  /** The secret's entity tag, without quotes. */
  readonly etag?: string;
  readonly principals?: PrincipalChange;
  /** For the log only: what was left out, by id or name. */
  readonly warning?: string;
  /** What SQLite found wrong with the database file. The reply leaves out what could not be read. */
  readonly damage?: string;
}

export type Reply = Success | Failure;

/** Calls that arrived together travel together, and come back together in the same order. */
export type Batch = readonly Call[];

export interface BatchResult {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly replies: readonly Reply[];
}

/**
 * A batch as it is sent to a thread: few flat values, without names of members. Structured clone writes and reads each object
 * and each of its names by itself, which for the calls as they are would take twice as long.
 */
export type FlatBatch = readonly [
  /** The texts that calls have in common, each once: operations, names of parameters, ids of authors. */
  words: readonly string[],
  /**
   * The calls, one after the other, each as: the index in `words` of its operation, its flags (CallFlags), the index of its
   * author's id (if it has an author), the number of its parameters, and for each of them the index of its name and the length
   * of its value in UTF-16 units.
   */
  numbers: Int32Array<ArrayBuffer>,
  /** The values of all parameters, joined. */
  texts: string,
  /** The bodies of the calls that have one, in the order of the calls. They are transferred. */
  bodies: readonly Uint8Array<ArrayBuffer>[],
  /** What few calls have, by the index of the call. */
  rare: readonly (readonly [index: number, members: RareCallMembers])[],
];

/** Bits of a call's second number. */
export interface CallFlags {
  readonly mayReplace: 1;
  readonly hasBody: 2;
  readonly hasAuthor: 4;
  readonly isTrusted: 8;
}

export type RareCallMembers = Omit<Call, 'operation' | 'params' | 'body' | 'mayReplace' | 'author'>;

/** The result of a batch as a thread sends it back. */
export type FlatResult = readonly [
  /** The bodies of all replies, transferred. */
  bytes: Uint8Array<ArrayBuffer>,
  /** Three for each reply: its offset and its length in `bytes`, and the length of its entity tag; -1: it has none. */
  numbers: Float64Array<ArrayBuffer>,
  /** The entity tags, joined. */
  etags: string,
  /** Failures, and successes that have more than an entity tag, by the index of the call. They stand here whole. */
  rare: readonly (readonly [index: number, reply: Reply])[],
];

/** A message to a worker thread. Each gets a ThreadResult with its `id`. */
export type ThreadMessage = readonly [
  id: number,
  /**
   * `hello`: the result comes once the thread has loaded. `rest`: the last message before the thread is ended; the result
   * comes once its event loop has gone round.
   */
  content: 'hello' | 'rest' | FlatBatch,
  /** A thread works on one long batch at a time, and short batches go to other threads. */
  isLong: boolean,
];

/** `result`: empty for a message that is not a batch; null if the thread's code failed. */
export type ThreadResult = readonly [id: number, result: FlatResult | null];

/** What the keeper hands a thread. */
export type ThreadTask =
  /** Where requests come from. */
  | { readonly kind: 'requests'; readonly port: MessagePort }
  /**
   * One end of a channel between a reader and the writer, over which the two share the keyring. `id`: the other thread's;
   * `port` null: it has ended.
   */
  | { readonly kind: 'peer'; readonly id: number; readonly port: MessagePort | null };

/** A key slot, as far as it can be known without a key. */
export interface KnownSlot {
  readonly kind: SlotKind;
  /** The path of the key file for a `file` slot; else null. */
  readonly location: string | null;
}

/** Tells a vault from others without a key. The member names are those of known-vaults.json. */
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

/** How much is kept of what secrets were. */
export interface HistoryLimits {
  /** The most versions of a secret, with the current one; 0 or 1: no old ones. */
  readonly keptVersions: number;
  /** How long a deleted secret can be restored; 0: not at all. */
  readonly deletedSeconds: number;
}

/** What a worker thread is started with (`workerData`). */
export interface WorkerOptions {
  /** Absolute path of vault.db. */
  readonly databasePath: string;
  /**
   * The entry of the user's list of known vaults for this path, read before any thread started; null if there is none. Every
   * thread compares each file that it opens with the entry, so that a file that is exchanged later is refused, too.
   */
  readonly known: KnownVault | null;
  /** Absolute path of that list, outside the vault's folder. Only the writer writes it. */
  readonly knownVaultsPath: string;
  /** The number of this thread, counted over its pools: what a writer decides outranks what earlier ones decided. */
  readonly startNumber: number;
  /** File with the passphrase of a `passphrase` slot; null: the passphrase comes with the call. */
  readonly passphraseFile: string | null;
  /** systemd's `$CREDENTIALS_DIRECTORY`; null if it is not set. */
  readonly credentialsDirectory: string | null;
  /** How long a call of the OS keychain may take. */
  readonly keychainTimeoutMs: number;
  /** Limits from config.json, below the program's own; absent: the program's own. */
  readonly entryLimits?: Partial<EntryLimits>;
  /** From config.json; absent: the program's own. */
  readonly historyLimits?: Partial<HistoryLimits>;
  /** Whether the vault is unsealed even if another process traces this one. */
  readonly mayBeTraced: boolean;
  /** How many reader threads there are; 0: the writer's thread reads too. */
  readonly readers: number;
  /** One 32-bit word that all threads see. Not 0: one of them found the database file damaged. */
  readonly damage: SharedArrayBuffer;
  /**
   * Four 32-bit words that all threads see. For long writing work: the steps that are done, and all steps, 0 if there is no
   * such work. Then the same for long reading work.
   */
  readonly longWork: SharedArrayBuffer;
}

/** `writing`: an import or a rotation, one at a time. `reading`: a check. */
export type LongWorkKind = 'writing' | 'reading';

/** The ways a vault can hold its root key. */
export type SlotKind = 'keychain' | 'passphrase' | 'file';
