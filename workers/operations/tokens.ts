/**
 * Tokens: create, list, revoke, and the table of principals that the request thread authenticates by. Holds a new
 * token, as bytes, until it lies in the reply; the vault itself keeps only its SHA-256.
 */
import { hash, randomBytes, randomFillSync } from 'node:crypto';
import type { BodyHandler, Handler } from '../calls.ts';
import { computeTokenMac, verifyTokenMac } from '../envelope/row-mac.ts';
import type { ReplyBuffer } from '../json/reply.ts';
import { allocateSecret, type SecretBytes } from '../json/secret-bytes.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { PrincipalRow, Scope } from '../messages.ts';
import { RequestError } from '../request-error.ts';
import type { TokenRow } from '../store/tokens.ts';
import type { ReadableVault, WritableVault } from '../vault.ts';
import { nowSeconds, writeStatus } from './secrets.ts';

const TOKEN_PREFIX = Buffer.from('mvt_');
const TOKEN_RANDOM_SIZE = 32;
const ID_SIZE = 8;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** The order in which a token's scopes are stored and shown. */
const SCOPES = ['read', 'write', 'generate', 'admin'] as const;

/** `mvt_` and 64 hex characters, written as bytes; the caller zeroes it. */
function mintToken(): SecretBytes {
  const random = randomFillSync(allocateSecret(TOKEN_RANDOM_SIZE));
  const token = allocateSecret(TOKEN_PREFIX.length + 2 * TOKEN_RANDOM_SIZE);
  token.set(TOKEN_PREFIX);
  for (const [index, byte] of random.entries()) {
    token[TOKEN_PREFIX.length + 2 * index] = HEX_DIGITS[byte >> 4] ?? 0;
    token[TOKEN_PREFIX.length + 2 * index + 1] = HEX_DIGITS[byte & 0x0f] ?? 0;
  }
  random.fill(0);
  return token;
}

type SignedPart = Omit<TokenRow, 'kekId' | 'mac' | 'lastUsedAt'>;

/** Everything that a token grants is under the MAC; when it was last used grants nothing. */
function macOf(vaultId: Uint8Array, row: SignedPart) {
  const { id, hash: tokenHash, name, scopes, trusted, createdAt, expiresAt } = row;
  return { vaultId, id, tokenHash, name, scopes, trusted, createdAt, expiresAt };
}

export function signTokenRow(keyring: Keyring, row: SignedPart): { kekId: Buffer; mac: Buffer } {
  const { id, tokenMacKey } = keyring.current;
  return { kekId: Buffer.from(id), mac: computeTokenMac(tokenMacKey, macOf(keyring.vaultId, row)) };
}

/** Whether the row was written by somebody with the key, as it is now. */
export function isGenuine(keyring: Keyring, row: TokenRow): boolean {
  const kek = keyring.find(row.kekId);
  return kek !== null && verifyTokenMac(kek.tokenMacKey, macOf(keyring.vaultId, row), row.mac);
}

function toPrincipal(row: SignedPart): PrincipalRow {
  const { id, expiresAt } = row;
  const isTrusted = row.trusted === 1;
  return { id, expiresAt, isTrusted, scopes: splitScopes(row.scopes), tokenHash: row.hash.toString('hex') };
}

function splitScopes(scopes: string): Scope[] {
  return scopes.split(',') as Scope[];
}

/** The principals of all genuine rows, and the ids of the rows that are not: those grant nothing. */
export function loadPrincipals(vault: ReadableVault): { rows: PrincipalRow[]; forged: string[] } {
  const { true: genuine = [], false: forged = [] } = Object.groupBy(vault.tokens.list(), (row) =>
    isGenuine(vault.keyring, row) ? 'true' : 'false',
  );
  return { rows: genuine.map(toPrincipal), forged: forged.map((row) => row.id) };
}

export const listTokens: Handler<ReadableVault> = (vault, _call, reply) => {
  // A row that somebody wrote without the key is no token: it grants nothing, and unsealing logs it.
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
  writeTime(row.createdAt, reply);
  reply.ascii(',"expires_at":');
  writeTime(row.expiresAt, reply);
  reply.ascii(',"last_used_at":');
  writeTime(row.lastUsedAt, reply);
  reply.ascii('}');
}

function writeTime(seconds: number | null, reply: ReplyBuffer): void {
  if (seconds === null) reply.ascii('null');
  else reply.time(seconds);
}

export const createToken: BodyHandler<'tokens.create'> = (vault, _call, reply, request) => {
  // Whoever makes one could write as the owner with it.
  if (request.trusted && vault.author.id !== 'session')
    throw new RequestError(
      'forbidden',
      'only the owner makes trusted tokens: mav token create --trusted',
      undefined,
      'trusted',
    );
  const token = mintToken();
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

function writeCreated(row: SignedPart, token: SecretBytes, reply: ReplyBuffer): void {
  reply.ascii('{"token":');
  reply.secret(token);
  reply.ascii(',"id":');
  reply.string(row.id);
  reply.ascii(',"name":');
  reply.string(row.name);
  reply.ascii(
    `,"scopes":${JSON.stringify(splitScopes(row.scopes))},"trusted":${row.trusted === 1},"expires_at":`,
  );
  writeTime(row.expiresAt, reply);
  reply.ascii('}');
}

export const revokeToken: Handler<WritableVault> = (vault, call, reply) => {
  const id = call.params.id ?? '';
  if (!vault.tokens.delete(id)) throw new RequestError('not_found', 'no such token');
  writeStatus('revoked', { id }, reply);
  return { principals: { kind: 'revoke', id } };
};

/** When tokens were last used: parameters are token id to Unix seconds. A token revoked meanwhile is passed over. */
export const touchTokens: Handler<WritableVault> = (vault, call) => {
  for (const [id, usedAt] of Object.entries(call.params)) vault.tokens.touch(id, Number(usedAt));
};
