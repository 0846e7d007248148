/**
 * The API as methods, one for each endpoint. Method, path and parameters of each come from the route table; what goes
 * over which wire is the business of the Send it is given.
 */
import { type Route, routes } from '../routes.ts';
import type { Incoming, Send } from './connection.ts';
import { toError } from './errors.ts';
import { followChanges, type OpenStream, type StreamRequest } from './follow-changes.ts';
import type {
  AddedKey,
  Approval,
  AtVersion,
  AuditEntry,
  AuditFilter,
  AuditPage,
  AuditReads,
  AuditVerification,
  BackupDraft,
  BatchError,
  BatchField,
  ChangeEvent,
  CheckPage,
  Conditions,
  Confirmation,
  CreatedToken,
  DeletedSecret,
  EncodedValue,
  FieldEntry,
  ForgottenSegment,
  Generated,
  GenerateOptions,
  Health,
  ImportEntry,
  ImportResult,
  InEnvironment,
  Info,
  KeyEntry,
  ListFilter,
  Metadata,
  OwnToken,
  Page,
  PageOptions,
  Place,
  Rotated,
  Secret,
  SecretRef,
  SecretSummary,
  Status,
  Stored,
  Terms,
  Token,
  TokenLimits,
  TokenScope,
  UnreadableSecret,
  Value,
  Version,
} from './types.ts';

type Operation = Route['operation'];
type Params = Readonly<Record<string, string | number | boolean | undefined>>;

/** What one call sends beside its route. Bytes are sent as they are, anything else as JSON. */
interface Parts {
  readonly params?: Params;
  readonly body?: unknown;
  readonly conditions?: Conditions;
  /** Gives the request up. An import of which nothing was committed by then is not carried out. */
  readonly signal?: AbortSignal;
  /** The response is a stream of events. */
  readonly stream?: StreamRequest;
}

export class Client {
  readonly #send: Send;
  readonly #purpose: string | undefined;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * `token`: null for requests that need none. `purpose`: what the answers are needed for, at most 200 printable characters;
   * the owner is shown it, and the audit log has it.
   */
  constructor(send: Send, token: string | null, purpose?: string) {
    this.#send = send;
    this.#purpose = purpose;
    this.#headers = {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      // A head has one character for each byte.
      ...(purpose ? { 'X-Purpose': Buffer.from(purpose).toString('latin1') } : {}),
    };
  }

  /** Returns a client of the same vault with another token. */
  withToken(token: string): Client {
    return new Client(this.#send, token, this.#purpose);
  }

  health(): Promise<Health> {
    return this.#json('health');
  }

  openapi(): Promise<object> {
    return this.#json('openapi');
  }

  listSecrets({
    environment,
    metadataKey,
    metadataValue,
    dueBefore,
    ...page
  }: ListFilter & PageOptions = {}): Promise<Page<SecretSummary>> {
    const metadata = { metadata_key: metadataKey, metadata_value: metadataValue };
    const filter = { env: environment, ...metadata, due_before: dueBefore };
    return this.#page('secrets.list', { ...filter, ...page });
  }

  search(query: string, page: PageOptions = {}): Promise<Page<SecretSummary>> {
    return this.#page('secrets.search', { q: query, ...page });
  }

  /** With the tag that a later write's `ifMatch` takes. */
  async getSecret(name: string, place: AtVersion = {}): Promise<Secret & { readonly etag: string }> {
    const incoming = await this.request('secrets.get', { params: locateSecret(name, place) });
    return { ...parse<Secret>(incoming), etag: findTag(incoming) };
  }

  /**
   * Many at once, 1 to 1000, in the order of the refs: a Secret, or a BatchField where a field was asked for, or a
   * BatchError. Fails with `too_large` where they are more than 4 MiB together.
   */
  async batchGet(refs: readonly SecretRef[]): Promise<(Secret | BatchField | BatchError)[]> {
    const { secrets } = await this.#json<{ secrets: (Secret | BatchField | BatchError)[] }>(
      'secrets.batchGet',
      { body: { refs } },
    );
    return secrets;
  }

  /** The value's bytes, whatever they are. */
  async getValue(name: string, place: AtVersion = {}): Promise<Uint8Array> {
    return (await this.request('values.get', { params: locateSecret(name, place) })).body;
  }

  /** Creates the secret, or replaces its value and metadata (absent: none); its fields stay. */
  putSecret(
    name: string,
    { value, metadata, ...terms }: { readonly value: Value; readonly metadata?: Metadata } & Terms,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const body = { ...encodeValue(value), metadata, ...encodeTerms(terms) };
    return this.#json('secrets.put', { params: locateSecret(name, { environment }), body, conditions });
  }

  /** Creates the secret, or replaces its value; metadata and fields stay. */
  putValue(
    name: string,
    value: Value,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const body = toBytes(value);
    return this.#json('values.put', { params: locateSecret(name, { environment }), body, conditions });
  }

  /** Changes what is given and keeps the rest. */
  patchSecret(
    name: string,
    {
      value,
      metadata,
      ...terms
    }: { readonly value?: Value | undefined; readonly metadata?: Metadata | undefined } & Terms,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const body = { ...(value === undefined ? {} : encodeValue(value)), metadata, ...encodeTerms(terms) };
    return this.#json('secrets.patch', { params: locateSecret(name, { environment }), body, conditions });
  }

  /** Its fields go with it. It can be restored for some time (`restoreSecret`). */
  async deleteSecret(
    name: string,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<void> {
    await this.request('secrets.delete', { params: locateSecret(name, { environment }), conditions });
  }

  /** Fields and metadata go along; fails with `conflict` where the new name is taken. */
  renameSecret(
    name: string,
    to: { readonly name: string; readonly environment?: string | undefined },
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Place> {
    return this.#json('secrets.rename', {
      params: locateSecret(name, { environment }),
      body: to,
      conditions,
    });
  }

  /** Newest first, also of a deleted secret. */
  async listVersions(name: string, place: InEnvironment = {}): Promise<Version[]> {
    const { versions } = await this.#json<{ versions: Version[] }>('secrets.versions', {
      params: locateSecret(name, place),
    });
    return versions;
  }

  /** Makes an old version the newest; fails with `gone` if it is not kept any more. */
  rollbackSecret(
    name: string,
    version: number,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const params = locateSecret(name, { environment });
    return this.#json('secrets.rollback', { params, body: { version }, conditions });
  }

  /** A page of the secrets that can be restored. */
  listDeleted({ environment, ...page }: InEnvironment & PageOptions = {}): Promise<Page<DeletedSecret>> {
    return this.#page('secrets.deleted', { env: environment, ...page });
  }

  /** Fails with `conflict` where the name is taken. */
  restoreSecret(name: string, place: InEnvironment = {}): Promise<Stored> {
    return this.#json('secrets.restore', { params: locateSecret(name, place) });
  }

  /**
   * What changes, as it happens. First comes `reset`: read then what you want to know; whatever changes after that comes as
   * an event. Connects again by itself when the connection or the daemon ends, and then goes on where it was, or with another
   * `reset`. Throws if the first connection fails, or once the token is not valid any more. `lastEventId`: where an earlier one ended.
   */
  watchChanges({
    environment,
    lastEventId = '',
    signal,
  }: InEnvironment & { readonly lastEventId?: string; readonly signal?: AbortSignal } = {}): AsyncGenerator<
    ChangeEvent,
    void,
    undefined
  > {
    const open: OpenStream = (stream) =>
      this.request('changes.list', { params: { env: environment }, stream, signal: stream.signal });
    return followChanges(open, lastEventId, signal);
  }

  /** Deletes a secret, deleted or not, for good, with all its versions. */
  async purgeSecret(
    name: string,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<void> {
    await this.request('secrets.purge', { params: locateSecret(name, { environment }), conditions });
  }

  /** What a token wrote counts as the owner's from now on; only the session's token may say so. */
  async acceptSecret(
    name: string,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<void> {
    await this.request('secrets.accept', { params: locateSecret(name, { environment }), conditions });
  }

  listFields(name: string, place: AtVersion = {}): Promise<{ [field: string]: EncodedValue }> {
    return this.#json('fields.list', { params: locateSecret(name, place) });
  }

  /** Without their values. */
  listFieldNames(name: string, place: InEnvironment = {}): Promise<string[]> {
    return this.#json('fields.list', { params: { ...locateSecret(name, place), names: true } });
  }

  /** All or none; other fields stay. */
  putFields(
    name: string,
    fields: { readonly [field: string]: Value },
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const encoded = Object.entries(fields).map(([field, value]) => [field, encodeField(value)]);
    const body = { fields: Object.fromEntries(encoded) };
    return this.#json('fields.putMany', { params: locateSecret(name, { environment }), body, conditions });
  }

  /** The field's bytes, whatever they are. */
  async getField(name: string, field: string, place: AtVersion = {}): Promise<Uint8Array> {
    return (await this.request('fieldValues.get', { params: { ...locateSecret(name, place), field } })).body;
  }

  /** Creates the secret if there is none. */
  putField(
    name: string,
    field: string,
    value: Value,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const params = { ...locateSecret(name, { environment }), field };
    return this.#json('fieldValues.put', { params, body: toBytes(value), conditions });
  }

  /** Returns the field as text, or as base64 if its bytes are not UTF-8. */
  getFieldEntry(name: string, field: string, place: AtVersion = {}): Promise<FieldEntry> {
    return this.#json('fields.get', { params: { ...locateSecret(name, place), field } });
  }

  /** As putField, sent as JSON. */
  putFieldEntry(
    name: string,
    field: string,
    value: Value,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    const params = { ...locateSecret(name, { environment }), field };
    return this.#json('fields.put', { params, body: encodeValue(value), conditions });
  }

  deleteField(
    name: string,
    field: string,
    { environment, ...conditions }: InEnvironment & Conditions = {},
  ): Promise<Stored> {
    return this.#json('fields.delete', {
      params: { ...locateSecret(name, { environment }), field },
      conditions,
    });
  }

  /** `conditions` are about the secret that it is stored as, if it is. */
  generate(
    { environment, expiresAt, rotateBy, confirm, ...options }: GenerateOptions = {},
    conditions: Conditions = {},
  ): Promise<Generated> {
    const body = { ...options, environment, ...encodeTerms({ expiresAt, rotateBy, confirm }) };
    return this.#json('passwords.generate', { body, conditions });
  }

  /** A page of whole entries, values and fields included. */
  exportSecrets({
    environment,
    ...page
  }: InEnvironment & PageOptions = {}): Promise<Page<Secret | UnreadableSecret>> {
    return this.#page('secrets.export', { env: environment, ...page });
  }

  /** All or none. `dryRun`: says what it would do, and does nothing. */
  importSecrets(
    secrets: readonly ImportEntry[],
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<ImportResult> {
    return this.#json('secrets.import', { params: { dry_run: dryRun }, body: { secrets } });
  }

  info(): Promise<Info> {
    return this.#json('vault.info');
  }

  listTokens(): Promise<Token[]> {
    return this.#json('tokens.list');
  }

  /** `expiresIn`: such as `24h`; absent: never. */
  createToken(options: {
    readonly name: string;
    readonly scopes: readonly TokenScope[];
    readonly expiresIn?: string;
    /** What it writes counts as accepted by the owner; only the session's token may make one. */
    readonly trusted?: boolean;
    readonly confirm?: Confirmation;
    /** RFC 3339: the token is refused until then. */
    readonly notBefore?: string;
    readonly maxUses?: number;
    readonly limits?: TokenLimits;
  }): Promise<CreatedToken> {
    const { name, scopes, expiresIn, trusted, confirm, notBefore, maxUses, limits = {} } = options;
    const times = { expires_in: expiresIn, not_before: notBefore, max_uses: maxUses };
    return this.#json('tokens.create', { body: { name, scopes, trusted, confirm, ...times, ...limits } });
  }

  getToken(id: string): Promise<Token> {
    return this.#json('tokens.get', { params: { id } });
  }

  /** What the token of this client may do. */
  getOwnToken(): Promise<OwnToken> {
    return this.#json('tokens.self');
  }

  /** A new token with the same limits. `overlap`: how long the old one stays valid, such as `1h`; absent: not at all. */
  rotateToken(id: string, { overlap }: { readonly overlap?: string } = {}): Promise<CreatedToken> {
    return this.#json('tokens.rotate', { params: { id }, body: { overlap } });
  }

  async revokeToken(id: string): Promise<void> {
    await this.request('tokens.revoke', { params: { id } });
  }

  /** A page of what was done, the newest first. 100 entries unless `limit` says otherwise. */
  async listAudit(filter: AuditFilter & PageOptions = {}): Promise<AuditPage> {
    const incoming = await this.request('audit.list', { params: { ...filter } });
    const { entries, unreadable = 0 } = parse<{ entries: AuditEntry[]; unreadable?: number }>(incoming);
    return { items: entries, cursor: findCursor(incoming), unreadable };
  }

  /** Whether the log is as it was written. */
  verifyAudit(): Promise<AuditVerification> {
    return this.#json('audit.verify');
  }

  /** What a token, revoked or not, has read. */
  listReads(token: string): Promise<AuditReads> {
    return this.#json('audit.reads', { params: { token } });
  }

  // What only the command line's own session may do.

  /** For the session only: the requests that wait for the owner's answer. `wait`: seconds to wait for one, at most 60. */
  async listApprovals({ wait }: { readonly wait?: number } = {}): Promise<Approval[]> {
    const { approvals } = await this.#json<{ approvals: Approval[] }>('approvals.list', { params: { wait } });
    return approvals;
  }

  /** Fails with `not_found` if no such request waits any more. */
  async approve(id: string): Promise<void> {
    await this.request('approvals.approve', { params: { id } });
  }

  async deny(id: string): Promise<void> {
    await this.request('approvals.deny', { params: { id } });
  }

  status(): Promise<Status> {
    return this.#json('vault.status');
  }

  /** `body`: `{"passphrase": …}`, bytes or an object, where the vault needs one. */
  async unseal(body?: unknown): Promise<void> {
    await this.request('vault.unseal', { body });
  }

  async seal(): Promise<void> {
    await this.request('vault.seal');
  }

  /**
   * `body`: as for unseal. `reencrypt`: every value and field is encrypted again, under a new key of its own. `root`: the vault gets a
   * new root key, too; then `body` has what its keys are made again with: its `passphrase`, and its `recovery_code` or `drop_recovery`.
   */
  rotateKek(
    body?: unknown,
    { reencrypt, root }: { readonly reencrypt?: boolean; readonly root?: boolean } = {},
  ): Promise<Rotated> {
    return this.#json('keys.rotate', { params: { reencrypt, root }, body });
  }

  /** Gives up a segment of the audit log that was changed, by its number. */
  forgetSegment(id: string): Promise<ForgottenSegment> {
    return this.#json('audit.forget', { params: { id } });
  }

  /** The ways to open the vault. */
  async listKeys(): Promise<KeyEntry[]> {
    return (await this.#json<{ keys: KeyEntry[] }>('keys.list')).keys;
  }

  /**
   * `body`: bytes or an object with `kind`, and what it needs: `new_passphrase`, `key_file` or `key_directory`; also the
   * `passphrase` of a vault that is opened by one.
   */
  addKey(body: unknown): Promise<AddedKey> {
    return this.#json('keys.add', { body });
  }

  /** Returns the bytes of `{"recovery_code": …}`, which the caller zeroes. The vault keeps nothing of it: add it with `addKey`. */
  async newRecoveryCode(): Promise<Uint8Array> {
    return (await this.request('keys.newRecoveryCode')).body;
  }

  /**
   * Opens the vault by its recovery code, and adds a key. `body`: bytes or an object with `recovery_code`, `kind` and what that
   * needs, as for addKey.
   */
  recover(body: unknown): Promise<AddedKey> {
    return this.#json('vault.recover', { body });
  }

  /** `key_kept`: why the key store did not let go of the key. `body`: as for unseal. Another key than the one with this id has to open the vault. */
  removeKey(id: string, body?: unknown): Promise<{ readonly key_kept: string | null }> {
    return this.#json('keys.remove', { params: { id }, body });
  }

  /** `body`: `{"passphrase": …, "new_passphrase": …}`, bytes or an object. */
  async changePassphrase(body: unknown): Promise<void> {
    await this.request('keys.changePassphrase', { body });
  }

  /** Opens every row of the vault, or of the draft of a backup, as many of them as a page has. The rows of several pages are to be added. */
  async check(page: PageOptions & { readonly backup?: string | undefined } = {}): Promise<CheckPage> {
    const incoming = await this.request('vault.check', { params: { ...page } });
    return { ...parse<Omit<CheckPage, 'cursor'>>(incoming), cursor: findCursor(incoming) };
  }

  /**
   * Copies the vault into a draft in its folder. Take it away within an hour; it counts once `check({ backup: id })` has opened
   * all of it. `body`: `{ passphrase }` for a passphrase that only the copy opens with.
   */
  makeBackup(body?: unknown): Promise<BackupDraft> {
    return this.#json('vault.backup', { body });
  }

  /** Destroys the vault for ever. `force`: even if the key cannot be removed from its store. */
  destroy({ force = false }: { readonly force?: boolean } = {}): Promise<{ readonly key_stores: string[] }> {
    return this.#json('vault.destroy', { body: { confirm: 'destroy', ...(force ? { force } : {}) } });
  }

  /** Makes one call and returns the response with its bytes. Throws MaestroVaultError. */
  async request(
    operation: Operation,
    { params = {}, body, conditions = {}, signal, stream }: Parts = {},
  ): Promise<Incoming> {
    const { method, target } = buildTarget(operation, params);
    const position = stream?.lastEventId ? { 'Last-Event-ID': stream.lastEventId } : {};
    const headers = { ...this.#headers, ...buildConditions(conditions), ...position };
    const outgoing = { method, target, headers, body: encodeBody(body), signal, onBody: stream?.onBody };
    const incoming = await this.#send(outgoing);
    if (incoming.status >= 400) throw toError(incoming);
    return incoming;
  }

  async #json<T>(operation: Operation, parts: Parts = {}): Promise<T> {
    return parse(await this.request(operation, parts));
  }

  async #page<T>(operation: Operation, params: Params): Promise<Page<T>> {
    const incoming = await this.request(operation, { params });
    return { items: parse(incoming), cursor: findCursor(incoming) };
  }
}

/** Returns the cursor of the next page (RFC 8288), or null at the end. */
export function findCursor({ headers }: Incoming): string | null {
  const next = /<([^>]*)>; *rel="next"/.exec(headers.link ?? '')?.[1];
  return next === undefined ? null : new URLSearchParams(next.slice(next.indexOf('?'))).get('cursor');
}

/** Returns the entity tag for a later write's `ifMatch`; empty if there is none. */
export function findTag({ headers }: Pick<Incoming, 'headers'>): string {
  return (headers.etag ?? '').slice(1, -1);
}

function encodeTerms({ expiresAt, rotateBy, confirm }: Terms): object {
  return { expires_at: expiresAt, rotate_by: rotateBy, confirm };
}

function locateSecret(name: string, { environment, version }: AtVersion): Params {
  return { name, env: environment, version };
}

function parse<T>({ body }: Incoming): T {
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString()) as T;
}

/** Puts parameters into the route's path, and those that it does not name into the query. */
function buildTarget(operation: Operation, params: Params): { method: string; target: string } {
  const route = routes.find((candidate) => candidate.operation === operation);
  if (route === undefined) throw new RangeError(`no route for ${operation}`);
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  let target: string = route.path;
  const query: string[] = [];
  for (const [name, value = ''] of given) {
    const encoded = encodeURIComponent(value);
    if (isInPath(route.path, name)) target = target.replace(new RegExp(`:${name}(?=/|$)`), () => encoded);
    else query.push(`${name}=${encoded}`);
  }
  return { method: route.method, target: query.length === 0 ? target : `${target}?${query.join('&')}` };
}

function isInPath(path: string, name: string): boolean {
  return path.split('/').includes(`:${name}`);
}

function buildConditions({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { 'If-Match': quoteTag(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { 'If-None-Match': quoteTag(ifNoneMatch) }),
  };
}

function quoteTag(tag: string): string {
  return tag === '*' ? tag : `"${tag}"`;
}

function encodeBody(body: unknown): Uint8Array | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array ? body : toBytes(JSON.stringify(body));
}

function toBytes(value: Value): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** As the members of a body. */
function encodeValue(value: Value): { value: string; encoding?: 'base64' } {
  const encoded = encodeField(value);
  return typeof encoded === 'string' ? { value: encoded } : encoded;
}

function encodeField(
  value: Value,
): Exclude<EncodedValue, { readonly value: string }> | { value: string; encoding: 'base64' } {
  if (typeof value === 'string') return value;
  return {
    value: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'),
    encoding: 'base64',
  };
}
