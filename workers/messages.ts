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
  /** Set if the owner is asked before the token reads a value: 1 once a session, 2 always. */
  readonly confirm?: number;
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
  | 'changes.list'
  | 'fields.list'
  | 'fields.get'
  | 'secrets.export'
  | 'values.get'
  | 'fieldValues.get'
  | 'tokens.list'
  | 'tokens.get'
  | 'tokens.self'
  | 'audit.list'
  | 'audit.verify'
  | 'audit.reads'
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

/** What is told of a secret: how a version was made, or one of the two changes that make none. */
export type ChangeKind = Change | 'accept' | 'purge';

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
  /** For a command without a daemon: takes the vault as it is, although it was put back or changed. */
  | 'vault.acceptRestore'
  | 'vault.probeKeychain'
  /** For a command without a daemon: reads a vault of the Go program, and puts ours in the place of one. */
  | 'goVault.read'
  | 'goVault.replace'
  | 'keys.rotate'
  /** Copies the vault into a draft in its folder, for the caller to take away. */
  | 'vault.backup'
  | 'keys.list'
  | 'keys.add'
  | 'keys.remove'
  | 'audit.forget'
  | 'keys.changePassphrase'
  /** For a command without a daemon: whether a key of this vault signed the head of a backup. */
  | 'vault.confirmBackup'
  /** Returns a new recovery code, and keeps nothing of it. */
  | 'keys.newRecoveryCode'
  /** Opens the vault by its recovery code, and adds a slot. */
  | 'vault.recover'
  | 'vault.destroy';

/** What the request thread does by itself. A reader records it in the audit log. */
export type LocalOperation = 'approvals.list' | 'approvals.approve' | 'approvals.deny';

/** What the daemon asks of a reader by itself: to compare all rows with their set MAC, beside the requests. */
export type BackgroundOperation = 'rows.check';

export type Operation =
  | ReadOperation
  | WriteOperation
  | ControlOperation
  | LocalOperation
  | BackgroundOperation;

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

/** The principal that asks, to which a write is bound. */
export interface Author {
  /** `session` for the owner, else the id of the token. */
  readonly id: string;
  /** Whether everything that it writes counts as accepted by the owner. */
  readonly isTrusted: boolean;
}

/** The process that sent a request, as the kernel says. The member names are those of the audit log. */
export interface Asker {
  /** The number of its user. */
  readonly uid: number;
  /** null if the process has no number here: it lives in another PID namespace. */
  readonly pid: number | null;
  /**
   * The name of the program, at most 15 bytes of it; null if the daemon may not read it. A hint: the process may choose it.
   */
  readonly program: string | null;
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
  /** Who asks. Absent: no principal, and what is written does not count as accepted by the owner. */
  readonly author?: Author;
  /** The JSON of an Asker, one text for all calls of a connection; absent where the kernel does not say who asks. */
  readonly asker?: string;
  /** The id of the request, from the client or the request thread; absent: the call is not a request. */
  readonly requestId?: string;
  /** What the client says that it needs the answer for: 1 to 200 printable characters. */
  readonly purpose?: string;
  /** What the principal may reach (`Principal.limits`); absent: everything. */
  readonly limits?: string;
  /** When the owner is asked before the principal reads a value (`Principal.confirm`); absent: never. */
  readonly confirm?: number;
  /** The ids of secrets that the owner lets this call read. */
  readonly approved?: readonly number[];
  /** The `If-Match` and `If-None-Match` request headers, unparsed. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** One 32-bit word. Not 0: the client has gone away, so the call is not carried out. Absent: it is always carried out. */
  readonly cancel?: SharedArrayBuffer;
  /** Set if the request thread has answered already: how. A reader records the call in the audit log, and does not carry it out. */
  readonly answered?: 'ok' | ErrorCode;
  /** Set if the request thread makes a list of several replies. A `limit` in `params` is the client's. */
  readonly page?: PageBounds;
}

/** Why an operation failed; `http/errors.ts` maps each to a status, clients and the command line map by it. */
export type ErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  /** The owner has not said yes to a read that asks for it. */
  | 'not_approved'
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
  /** The folder for a new key file is not there, or not this process's to write. */
  | 'key_folder'
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
  /** The vault was put back from an older copy. */
  | 'restored'
  | 'destroyed'
  /** The vault was not destroyed because its key store does not let go of the key. */
  | 'key_kept'
  /** The audit log cannot be written. */
  | 'audit_log'
  | 'keychain_kept'
  /** The owner has to be asked first, and was not: `approval` says for what. */
  | 'needs_approval'
  /** The owner said no. */
  | 'denied'
  /** The owner did not answer in time. */
  | 'not_answered'
  /** The owner cannot be asked: there is neither a daemon nor a terminal. */
  | 'nobody_asked'
  /** In a batch of reads: nothing was done, because this reply or those before it are large. The pool asks again. */
  | 'later'
  /** The client gave up, and nothing of the request was done. */
  | 'cancelled';

/** A secret whose value is not given out before the owner has said yes. */
export interface NeededSecret extends SecretName {
  readonly id: number;
  /** Fields that were to be read, the empty name for the secret's own value. Of a whole entry only the first. */
  readonly fields: readonly string[];
  /** What the secret itself asks for: 0 nothing, so that it is the token that asks; 1 once a session, 2 always. */
  readonly asks: number;
}

/** All that a call was not given. */
export interface NeededApproval {
  readonly secrets: readonly NeededSecret[];
  /** The name of the token that asks; absent for the owner's session. */
  readonly token?: string;
}

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
  /** With the reason `needs_approval`. */
  readonly approval?: NeededApproval | undefined;
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

/** What the check of all rows found changed without the key, as its reply has it. Names secrets, but no value. */
export interface ChangedRows {
  /** Whether the file still says which rows it has, so that they could be compared with that. */
  readonly readable: boolean;
  /** Tables whose rows are not those that were stored, and how many more they have (below 0: fewer; 0: rows were exchanged). */
  readonly tables: readonly { readonly table: string; readonly more: number }[];
  /** Rows in words, such as `"db" was put back to version 3`. */
  readonly rows: readonly string[];
  /** The ids of segments of the audit log whose end is not the one that is known. */
  readonly audit_segments: readonly number[];
}

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
  /** The texts that calls have in common, each once: operations, names of parameters, askers. */
  words: readonly string[],
  /**
   * The calls, one after the other, each as: the index in `words` of its operation, its flags (CallFlags), the index of its
   * asker (-1: none), the lengths of its author's id, of its own id and of its purpose (0: none), the number of its parameters,
   * and for each of them the index of its name and the length of its value. Lengths are in UTF-16 units.
   */
  numbers: Int32Array<ArrayBuffer>,
  /** For each call its author's id, its own id, its purpose and the values of its parameters, all joined. */
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

export type RareCallMembers = Omit<
  Call,
  'operation' | 'params' | 'body' | 'mayReplace' | 'author' | 'asker' | 'requestId' | 'purpose'
>;

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
  /** The ends of channels between a reader and the writer. `id`: the other thread's; `channels` null: it has ended. */
  | { readonly kind: 'peer'; readonly id: number; readonly channels: PeerChannels | null };

/** A thread's ends of the channels to another. */
export interface PeerChannels {
  /** Over which the two share the keyring. */
  readonly keyring: MessagePort;
  /** Over which the writer lends a reader its segment of the audit log. */
  readonly audit: MessagePort;
}

/** A key slot, as far as it can be known without a key. */
export interface KnownSlot {
  /** 8 hexadecimal digits. */
  readonly id: string;
  readonly kind: SlotKind;
  /** The path of the key file for a `file` slot; else null. */
  readonly location: string | null;
  /** Set while the slot is being added or removed: the vault may have it or not. */
  readonly pending?: true;
  /** Of a pending slot whose root key is not that of all others: which it is (envelope/root-key-id.ts). */
  readonly root_key_id?: string;
}

/** Tells a vault from others without a key. The member names are those of known-vaults.json. */
export interface KnownVault {
  /** 32 hexadecimal digits. */
  readonly vault_id: string;
  readonly slots: readonly KnownSlot[];
  /** The version of its tables. */
  readonly schema: number;
}

/** What a check looks through: the tables of the database, its file, and the audit log. */
export type CheckedTable =
  | 'database'
  | 'secrets'
  | 'fields'
  | 'versions'
  | 'old_fields'
  | 'deleted'
  | 'tokens'
  | 'keks'
  | 'slots'
  | 'audit';

/** A row that is not as somebody with the key stored it. The member names are those of the API. */
export interface DamagedRow extends Partial<SecretName> {
  readonly table: CheckedTable;
  /** The version of the secret. */
  readonly version?: number;
  readonly field?: string;
  /** Of a token, a key, a slot or the audit log. */
  readonly id?: string;
  /** `changed`: it does not open. `unreadable`: SQLite cannot read it. */
  readonly problem: 'changed' | 'unreadable';
  /** What is wrong, in more words. */
  readonly detail?: string;
}

/** A part of a secret of the Go program's vault that is not imported, and why. */
export interface NamedProblem extends SecretName {
  /** Absent for the secret itself, or its own value. */
  readonly field?: string;
  /** As it follows the name of the part: `its value is empty`. */
  readonly problem: string;
}

/** What a vault of the Go program has. No values. */
export interface GoVaultReport {
  /** Its `user_version`. */
  readonly schema: number;
  /** SHA-256 of its secrets and fields as they are stored, in hexadecimal. */
  readonly digest: string;
  /** The secrets that can be imported, in the order of the list. */
  readonly secrets: readonly SecretName[];
  /** How many values and fields these have. */
  readonly parts: number;
  /** Those of them that have fields and no row of their own. */
  readonly orphans: readonly SecretName[];
  /** Those of them whose times could not be read. */
  readonly untimed: readonly SecretName[];
  /** What a vault of ours cannot hold. */
  readonly refused: readonly NamedProblem[];
  /** What does not open with the key. */
  readonly unreadable: readonly NamedProblem[];
  readonly tokens: readonly { readonly name: string; readonly scopes: string; readonly created_at: string }[];
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

/** How the audit log is kept. */
export interface AuditRules {
  /** Whether a request fails whose entry cannot be written. */
  readonly isRequired: boolean;
  /** How long closed segments are kept; 0: for ever. */
  readonly keptSeconds: number;
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
  /** Memory that all threads see. Begins with zeros; has what is known of the vault once its slots were changed. */
  readonly knownNow: SharedArrayBuffer;
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
  /** From config.json; absent: the program's own. */
  readonly auditRules?: Partial<AuditRules>;
  /** Whether the vault is unsealed even if another process traces this one. */
  readonly mayBeTraced: boolean;
  /** How many reader threads there are; 0: the writer's thread reads too. */
  readonly readers: number;
  /** One 32-bit word that all threads see. Not 0: one of them found the database file damaged. */
  readonly damage: SharedArrayBuffer;
  /** One 32-bit word that all threads see. Not 0: a writer of this process has taken stock of the audit log. */
  readonly auditTaken: SharedArrayBuffer;
  /**
   * Seven 32-bit words that all threads see. For long writing work: the steps that are done, and all steps, 0 if there is no
   * such work. Then the same for long reading work. Then how many sealings are under way; such work ends while any is. Then as
   * the first two for a rotation, which ends by itself.
   */
  readonly longWork: SharedArrayBuffer;
}

/** `writing`: an import. `reading`: a check. `rotating`: a rotation of the KEK. One of each at a time. */
export type LongWorkKind = 'writing' | 'reading' | 'rotating';

/** The ways a vault can hold its root key. */
export type SlotKind = 'keychain' | 'passphrase' | 'file' | 'recovery';
