/** Handlers of tokens: create, list, read, rotate, revoke. Holds a new token, as bytes, until it is in the reply, and zeroes it then. */

import { hash, randomBytes } from 'node:crypto';
import type { BodyHandler, Handler, Outcome } from '../calls.ts';
import { NEVER_ASKED, nameConfirmation } from '../entries/confirm.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { writeStatus } from '../json/status.ts';
import { nowSeconds } from '../json/times.ts';
import type { Limits, PrincipalChange } from '../messages.ts';
import type { ReadableVault, WritableVault } from '../open-vault.ts';
import type { TokenRow } from '../store/columns.ts';
import { generateToken } from '../tokens/generate-token.ts';
import { NO_LIMITS, splitScopes, toPrincipal } from '../tokens/principals.ts';
import { isGenuine, type SignedToken, signTokenRow } from '../tokens/token-macs.ts';

const ID_SIZE = 8;
/** The id of the command line's own principal, which has no row. */
const SESSION = 'session';

/** The order in which a token's scopes are stored and shown. */
const SCOPES = ['read', 'write', 'generate', 'admin'] as const;

export const listTokens: Handler<ReadableVault> = (vault, _call, reply) => {
  // A row written without the key does not count as a token: it grants nothing, and unsealing logs it.
  const genuine = vault.tokens.list().filter((row) => isGenuine(vault.keyring, row));
  reply.ascii('[');
  for (const [index, row] of genuine.entries()) {
    if (index > 0) reply.ascii(',');
    writeToken(row, reply);
  }
  reply.ascii(']');
};

function writeToken(row: TokenRow, reply: ReplyBuffer): void {
  reply.ascii('{');
  writeGrant(row, reply);
  reply.ascii(',"created_at":');
  writeOptionalTime(row.createdAt, reply);
  reply.ascii(',"last_used_at":');
  writeOptionalTime(row.lastUsedAt, reply);
  reply.ascii('}');
}

/** Writes the members that say what a token may do, and for how long. */
function writeGrant(row: SignedToken, reply: ReplyBuffer): void {
  reply.ascii('"id":');
  reply.string(row.id);
  reply.ascii(',"name":');
  reply.string(row.name);
  reply.ascii(
    `,"scopes":${JSON.stringify(splitScopes(row.scopes))},"trusted":${row.trusted === 1},"confirm":"${nameConfirmation(row.confirm)}","limits":`,
  );
  reply.raw(row.limits);
  reply.ascii(`,"max_uses":${row.maxUses},"uses":${row.uses},"not_before":`);
  writeOptionalTime(row.notBefore, reply);
  reply.ascii(',"expires_at":');
  writeOptionalTime(row.expiresAt, reply);
}

/** The session has no row, so it may do everything. */
export const getToken: Handler<ReadableVault> = (vault, call, reply) => {
  const { id = '' } = call.params;
  if (id === SESSION) {
    reply.ascii(
      `{"id":"${SESSION}","name":"${SESSION}","scopes":["${SESSION}"],"trusted":true,"confirm":"never","limits":[],`,
    );
    reply.ascii(
      '"max_uses":null,"uses":0,"not_before":null,"expires_at":null,"created_at":null,"last_used_at":null}',
    );
    return;
  }
  writeToken(getGenuine(vault, id), reply);
};

function getGenuine(vault: ReadableVault, id: string): TokenRow {
  const row = vault.tokens.find(id);
  if (row === null || !isGenuine(vault.keyring, row)) throw new RequestError('not_found', 'no such token');
  return row;
}

function writeOptionalTime(seconds: number | null, reply: ReplyBuffer): void {
  if (seconds === null) reply.ascii('null');
  else reply.time(seconds);
}

export const createToken: BodyHandler<'tokens.create'> = (vault, call, reply, request) => {
  // Otherwise a token could make a trusted one, and write with it as the owner does.
  if (request.trusted && vault.author.id !== SESSION)
    throw new RequestError('forbidden', 'only the owner makes trusted tokens: mav token create --trusted', {
      member: 'trusted',
    });
  const { lifetimeSeconds, notBefore, maxUses, limits } = request;
  const wanted = {
    name: request.name,
    scopes: SCOPES.filter((scope) => request.scopes.includes(scope)).join(','),
    trusted: request.trusted ? 1 : 0,
    confirm: request.confirm,
    expiresAt: lifetimeSeconds === null ? null : nowSeconds() + lifetimeSeconds,
    notBefore,
    limits: addLimits(limits, call.limits),
    maxUses,
    uses: 0,
  };
  return issueToken(vault, boundByMaker(vault, wanted), reply);
};

/** Returns the stored text of a token's own limits and those of the token that makes it: all of them hold. */
function addLimits(own: Limits, makers = NO_LIMITS): string {
  const inherited = JSON.parse(makers) as readonly Limits[];
  return JSON.stringify(Object.keys(own).length === 0 ? inherited : [own, ...inherited]);
}

type Grant = Omit<SignedToken, 'id' | 'hash' | 'createdAt'>;

/** A token makes none that lasts longer or asks less than itself, and none at all if its own uses are counted. */
function boundByMaker(vault: WritableVault, wanted: Grant): Grant {
  const { id } = vault.author;
  const maker = id === SESSION ? null : getGenuine(vault, id);
  if (maker !== null && maker.maxUses !== null)
    throw new RequestError('forbidden', 'a token whose uses are counted makes no tokens');
  const makersEnd = maker?.expiresAt ?? null;
  const confirm = Math.max(wanted.confirm, maker?.confirm ?? NEVER_ASKED);
  if (makersEnd === null) return { ...wanted, confirm };
  return { ...wanted, confirm, expiresAt: Math.min(wanted.expiresAt ?? makersEnd, makersEnd) };
}

function issueToken(vault: WritableVault, grant: Grant, reply: ReplyBuffer): Outcome {
  const token = generateToken();
  const row = {
    ...grant,
    id: randomBytes(ID_SIZE).toString('hex'),
    hash: hash('sha256', token, 'buffer'),
    createdAt: nowSeconds(),
  };
  vault.tokens.insert({ ...row, ...signTokenRow(vault.keyring, row), lastUsedAt: null });
  vault.touched.noteToken(row);
  writeCreated(row, token, reply);
  token.fill(0);
  return { principals: { kind: 'grant', row: toPrincipal(row) } };
}

/**
 * Makes a new token with the same limits. The old one is valid for the overlap, or not at all any more. A token may rotate
 * itself. Others are rotated by the owner only: the new token goes to the one who asks, and could do more than that one.
 */
export const rotateToken: BodyHandler<'tokens.rotate'> = (vault, call, reply, request) => {
  const { author, tokens, keyring } = vault;
  const { id = '' } = call.params;
  if (author.id !== SESSION && author.id !== id)
    throw new RequestError('forbidden', 'a token rotates itself only; the owner rotates others');
  const { kekId: _kekId, mac: _mac, lastUsedAt: _lastUsedAt, ...old } = getGenuine(vault, id);
  const made = issueToken(vault, old, reply);
  const { overlapSeconds } = request;
  if (overlapSeconds === 0) {
    tokens.delete(id);
    return combine(made, { kind: 'revoke', id });
  }
  const until = nowSeconds() + overlapSeconds;
  // The uses that are left go to the new token. The old one keeps those that are reserved for it already.
  const ending = {
    ...old,
    expiresAt: Math.min(old.expiresAt ?? until, until),
    uses: old.maxUses ?? old.uses,
  };
  tokens.update({ ...ending, ...signTokenRow(keyring, ending) });
  return combine(made, { kind: 'grant', row: toPrincipal(ending) });
};

/**
 * Stores up to `count` uses of a token as spent, and replies how many there were: `{"granted": number}`. A negative count gives
 * uses back that were reserved and not needed.
 */
export const reserveUses: Handler<WritableVault> = (vault, call, reply) => {
  const { lastUsedAt: _lastUsedAt, ...row } = getGenuine(vault, call.params.id ?? '');
  const left = (row.maxUses ?? Number.MAX_SAFE_INTEGER) - row.uses;
  const granted = Math.max(-row.uses, Math.min(left, Number(call.params.count)));
  const changed = { ...row, uses: row.uses + granted };
  vault.tokens.update({ ...changed, ...signTokenRow(vault.keyring, changed) });
  reply.raw(JSON.stringify({ granted }));
};

function combine({ principals, ...made }: Outcome, change: PrincipalChange): Outcome {
  const changes = principals === undefined ? [change] : [principals, change];
  return { ...made, principals: { kind: 'several', changes } };
}

function writeCreated(row: SignedToken, token: SecretBytes, reply: ReplyBuffer): void {
  reply.ascii('{"token":');
  reply.secret(token);
  reply.ascii(',');
  writeGrant(row, reply);
  reply.ascii('}');
}

export const revokeToken: Handler<WritableVault> = (vault, call, reply) => {
  const id = call.params.id ?? '';
  const row = vault.tokens.find(id);
  if (row === null || !vault.tokens.delete(id)) throw new RequestError('not_found', 'no such token');
  vault.touched.noteToken(row);
  writeStatus('revoked', { id }, reply);
  return { principals: { kind: 'revoke', id } };
};

/** Notes when tokens were last used. Parameters: token id to Unix seconds. A token that was revoked meanwhile is ignored. */
export const touchTokens: Handler<WritableVault> = (vault, call) => {
  for (const [id, usedAt] of Object.entries(call.params)) vault.tokens.touch(id, Number(usedAt));
};
