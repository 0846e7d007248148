/** Handlers of tokens: create, list, revoke. Holds a new token, as bytes, until it is in the reply, and zeroes it then. */

import { hash, randomBytes } from 'node:crypto';
import type { BodyHandler, Handler } from '../calls.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import type { SecretBytes } from '../json/secret-bytes.ts';
import { writeStatus } from '../json/status.ts';
import { nowSeconds } from '../json/times.ts';
import type { TokenRow } from '../store/columns.ts';
import { generateToken } from '../tokens/generate-token.ts';
import { splitScopes, toPrincipal } from '../tokens/principals.ts';
import { isGenuine, type SignedToken, signTokenRow } from '../tokens/token-macs.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';

const ID_SIZE = 8;

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
  reply.ascii('{"id":');
  reply.string(row.id);
  reply.ascii(',"name":');
  reply.string(row.name);
  reply.ascii(
    `,"scopes":${JSON.stringify(splitScopes(row.scopes))},"trusted":${row.trusted === 1},"created_at":`,
  );
  writeOptionalTime(row.createdAt, reply);
  reply.ascii(',"expires_at":');
  writeOptionalTime(row.expiresAt, reply);
  reply.ascii(',"last_used_at":');
  writeOptionalTime(row.lastUsedAt, reply);
  reply.ascii('}');
}

function writeOptionalTime(seconds: number | null, reply: ReplyBuffer): void {
  if (seconds === null) reply.ascii('null');
  else reply.time(seconds);
}

export const createToken: BodyHandler<'tokens.create'> = (vault, _call, reply, request) => {
  // Otherwise a token could make a trusted one, and write with it as the owner does.
  if (request.trusted && vault.author.id !== 'session')
    throw new RequestError('forbidden', 'only the owner makes trusted tokens: mav token create --trusted', {
      member: 'trusted',
    });
  const token = generateToken();
  const createdAt = nowSeconds();
  const row = {
    id: randomBytes(ID_SIZE).toString('hex'),
    hash: hash('sha256', token, 'buffer'),
    name: request.name,
    scopes: SCOPES.filter((scope) => request.scopes.includes(scope)).join(','),
    trusted: request.trusted ? 1 : 0,
    createdAt,
    expiresAt: request.lifetimeSeconds === null ? null : createdAt + request.lifetimeSeconds,
  };
  vault.tokens.insert({ ...row, ...signTokenRow(vault.keyring, row), lastUsedAt: null });
  writeCreated(row, token, reply);
  token.fill(0);
  return { principals: { kind: 'grant', row: toPrincipal(row) } };
};

function writeCreated(row: SignedToken, token: SecretBytes, reply: ReplyBuffer): void {
  reply.ascii('{"token":');
  reply.secret(token);
  reply.ascii(',"id":');
  reply.string(row.id);
  reply.ascii(',"name":');
  reply.string(row.name);
  reply.ascii(
    `,"scopes":${JSON.stringify(splitScopes(row.scopes))},"trusted":${row.trusted === 1},"expires_at":`,
  );
  writeOptionalTime(row.expiresAt, reply);
  reply.ascii('}');
}

export const revokeToken: Handler<WritableVault> = (vault, call, reply) => {
  const id = call.params.id ?? '';
  if (!vault.tokens.delete(id)) throw new RequestError('not_found', 'no such token');
  writeStatus('revoked', { id }, reply);
  return { principals: { kind: 'revoke', id } };
};

/** Notes when tokens were last used. Parameters: token id to Unix seconds. A token that was revoked meanwhile is ignored. */
export const touchTokens: Handler<WritableVault> = (vault, call) => {
  for (const [id, usedAt] of Object.entries(call.params)) vault.tokens.touch(id, Number(usedAt));
};
