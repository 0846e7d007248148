/** The entries of the audit log as lines of JSON: who did what to which secrets, and how it ended. Never a value. */
import { OWN_VALUE } from '../../entries/access.ts';
import type { Asker, Call, Operation, Reply } from '../../messages.ts';
import type { ChangedSecret } from '../../recent-changes.ts';
import type { Disclosure, TouchedToken } from '../touched.ts';

/** What nobody asked for at that moment, most of it about the log itself: see docs/format.md. */
export type OwnOperation =
  | 'audit.broken'
  | 'audit.dropped'
  | 'audit.forgotten'
  | 'audit.lost'
  | 'audit.torn'
  | 'audit.refused'
  | 'keys.rotated';

/** Whether calls of an operation stand in the log: those on secrets, tokens and keys. */
const IS_AUDITED: Readonly<Record<Operation, boolean>> = {
  'secrets.list': true,
  'secrets.get': true,
  'secrets.batchGet': true,
  'secrets.search': true,
  'secrets.versions': true,
  'secrets.deleted': true,
  'fields.list': true,
  'fields.get': true,
  'secrets.export': true,
  'values.get': true,
  'fieldValues.get': true,
  'tokens.list': true,
  'tokens.get': true,
  'tokens.self': true,
  // Neither the log nor the changes show a value, and whoever follows them asks again and again.
  'audit.list': false,
  'changes.list': false,
  'audit.reads': false,
  'audit.verify': false,
  'vault.info': false,
  'vault.check': true,
  'secrets.put': true,
  'secrets.patch': true,
  'secrets.delete': true,
  'secrets.rename': true,
  'secrets.accept': true,
  'secrets.import': true,
  'secrets.rollback': true,
  'secrets.restore': true,
  'secrets.purge': true,
  'fields.put': true,
  'fields.putMany': true,
  'fields.delete': true,
  'values.put': true,
  'fieldValues.put': true,
  'passwords.generate': true,
  'tokens.create': true,
  'tokens.rotate': true,
  // The daemon's own notes about uses that stand in the log already.
  'tokens.reserve': false,
  'tokens.touch': false,
  'tokens.revoke': true,
  'approvals.list': false,
  'approvals.approve': true,
  'approvals.deny': true,
  'vault.status': false,
  'vault.unseal': true,
  'vault.resume': true,
  'vault.seal': true,
  'vault.init': false,
  'vault.inspect': false,
  'vault.adopt': false,
  'vault.acceptRestore': true,
  // The daemon's own. What it finds stands in the daemon's log.
  'rows.check': false,
  'vault.probeKeychain': false,
  // Another program's vault. The import that follows stands in the log of ours.
  'goVault.read': false,
  'goVault.replace': false,
  'keys.rotate': true,
  'vault.backup': true,
  'keys.list': false,
  'keys.add': true,
  'keys.remove': true,
  // The log says it by itself, with the number of the segment.
  'audit.forget': false,
  'keys.changePassphrase': true,
  'vault.confirmBackup': true,
  'keys.newRecoveryCode': false,
  'vault.recover': true,
  'vault.destroy': false,
};

/** An entry names at most so many secrets. What a call did beyond that follows in further entries of the same request. */
const MAX_SECRETS = 1_000;
/** Characters that an entry has of a name that was asked for in vain. */
const MAX_SHOWN = 256;
const OK = ',"result":"ok"';

/** Of the pages of a check the log has only the first. */
export function isAudited({ operation, params }: Call): boolean {
  return IS_AUDITED[operation] && !(operation === 'vault.check' && params.cursor !== undefined);
}

/** What a call did. */
export interface Done {
  readonly read: readonly Disclosure[];
  readonly changed: readonly ChangedSecret[];
  /** The token that it made or revoked. */
  readonly token: TouchedToken | null;
}

export const NOTHING_DONE: Done = { read: [], changed: [], token: null };

/** The entries of a batch, as lines. Their times never go back, even if the clock does. */
export class EntryLines {
  static #lastTime = '';
  readonly #time: string;
  readonly #first: number;
  text = '';
  count = 0;
  /** How many of them the log says of itself. */
  ownCount = 0;

  /** `first`: the number in its segment of the first entry. */
  constructor(first: number) {
    this.#first = first;
    const now = new Date().toISOString();
    if (now > EntryLines.#lastTime) EntryLines.#lastTime = now;
    this.#time = EntryLines.#lastTime;
  }

  /** Adds what a call did, unless it is none that the log has. If it failed, what it read has not left the thread. */
  add(call: Call, reply: Reply, done: Done): void {
    if (!isAudited(call) || (!reply.ok && reply.reason === 'later')) return;
    const head = describeAsker(call);
    const result = reply.ok ? OK : `,"result":"${reply.code}"`;
    const parts = reply.ok ? describeDone(call, done) : [describeWanted(call)];
    for (const part of parts) this.#addLine(head + part + result);
  }

  /** Adds an entry that belongs to no call. */
  addOwn(operation: OwnOperation, members: Readonly<Record<string, number>>): void {
    this.ownCount += 1;
    this.#addLine(`"op":"${operation}","by":"",${JSON.stringify(members).slice(1, -1)},"result":"ok"`);
  }

  #addLine(members: string): void {
    this.text += `{"at":"${this.#time}","seq":${this.#first + this.count},${members}}\n`;
    this.count += 1;
  }
}

/** What was called by whom from which program, as requests that follow each other mostly have it in common. */
let lastCaller = { operation: '', id: '', asker: '', text: '' };

function describeCaller({ operation, author, asker = '' }: Call): string {
  const id = author?.id ?? '';
  if (lastCaller.operation === operation && lastCaller.id === id && lastCaller.asker === asker)
    return lastCaller.text;
  const text = `"op":"${operation}","by":${JSON.stringify(id)}${asker === '' ? '' : describeProcess(asker)}`;
  lastCaller = { operation, id, asker, text };
  return text;
}

/** Who asked for what, from which program, under which id, and whether the owner said yes to it. */
function describeAsker(call: Call): string {
  const { purpose, requestId, approved } = call;
  let text = describeCaller(call);
  if (purpose !== undefined) text += `,"purpose":${JSON.stringify(purpose)}`;
  if (requestId !== undefined) text += `,"request":${JSON.stringify(requestId)}`;
  if (approved !== undefined) text += ',"approved":true';
  return text;
}

/** By the text of an asker, its members. A connection's requests have all the same. */
const describedProcesses = new Map<string, string>();
const MAX_DESCRIBED = 1_000;

function describeProcess(text: string): string {
  const known = describedProcesses.get(text);
  if (known !== undefined) return known;
  const { uid, pid, program } = JSON.parse(text) as Asker;
  const members = JSON.stringify({
    uid,
    ...(pid === null ? {} : { pid }),
    ...(program === null ? {} : { program }),
  });
  const described = `,${members.slice(1, -1)}`;
  if (describedProcesses.size === MAX_DESCRIBED) describedProcesses.clear();
  describedProcesses.set(text, described);
  return described;
}

/** Returns the members that say what was done; several lists of secrets if one entry would be too long. */
function describeDone(call: Call, { read, changed, token }: Done): string[] {
  if (token !== null) return [describeToken(token)];
  const [first] = read;
  // Nearly every call reads one secret.
  if (first !== undefined && read.length === 1 && changed.length === 0)
    return [`,"secrets":[${describeRead(first)}]`];
  const secrets = [...read.map(describeRead), ...changed.map(describeChange)];
  if (secrets.length === 0) return [describeWanted(call)];
  const parts: string[] = [];
  for (let from = 0; from < secrets.length; from += MAX_SECRETS)
    parts.push(`,"secrets":[${secrets.slice(from, from + MAX_SECRETS).join()}]`);
  return parts;
}

const NO_FIELDS: readonly string[] = [];

function describeRead({ id, name, environment, version, fields }: Disclosure): string {
  const isValueAlone = fields.length === 1 && fields[0] === OWN_VALUE;
  const names = isValueAlone ? NO_FIELDS : fields.filter((field) => field !== OWN_VALUE);
  const value = names.length < fields.length ? ',"value":true' : '';
  const named = names.length > 0 ? `,"fields":${JSON.stringify(names)}` : '';
  return `{${describeName(name, environment)},"version":${version},"id":${id}${value}${named},"read":true}`;
}

function describeChange({ name, environment, version, change }: ChangedSecret): string {
  return `{${describeName(name, environment)},"version":${version},"change":"${change}"}`;
}

function describeName(name: string, environment: string): string {
  return `"name":${JSON.stringify(name)},"environment":${JSON.stringify(environment)}`;
}

function describeToken({ id, name }: TouchedToken): string {
  return `,"token":${JSON.stringify(id)},"token_name":${JSON.stringify(name)}`;
}

/** What was asked for by name, where nothing was read or changed. */
function describeWanted({ operation, params }: Call): string {
  const { name, env, id, head } = params;
  if (head !== undefined && operation === 'vault.confirmBackup') return describeBackup(head);
  if (id !== undefined && operation === 'keys.remove')
    return `,"key":${JSON.stringify(id.slice(0, MAX_SHOWN))}`;
  if (name !== undefined)
    return `,"secrets":[{${describeName(name.slice(0, MAX_SHOWN), (env ?? '').slice(0, MAX_SHOWN))}}]`;
  // Approvals have ids of their own.
  if (id !== undefined && operation.startsWith('tokens.'))
    return `,"token":${JSON.stringify(id.slice(0, MAX_SHOWN))}`;
  return env === undefined ? '' : `,"environment":${JSON.stringify(env.slice(0, MAX_SHOWN))}`;
}

/** Of the head of a backup, when that was made. */
function describeBackup(head: string): string {
  const { made_at: madeAt } = JSON.parse(head) as { readonly made_at?: unknown };
  return typeof madeAt === 'string' ? `,"backup":${JSON.stringify(madeAt.slice(0, MAX_SHOWN))}` : '';
}
