/** Vectors of the MACs of tokens' rows. */
import { createHash } from 'node:crypto';
import { type TokenMacInput, tokenMac } from '../../test/fixtures/reference.ts';
import { flip, SECRET, seed, type Vector } from './vector.ts';

export function tokenMacVectors(): Vector[] {
  const row: TokenMacInput = {
    kek: seed('kek', 32),
    vaultId: SECRET.vaultId,
    id: '00c0ffee00c0ffee',
    tokenHash: createHash('sha256').update('mvt_example').digest(),
    name: 'deploy robot',
    scopes: 'read,write',
    trusted: 0,
    confirm: 1,
    createdAt: 1_767_225_600,
    expiresAt: 1_798_761_600,
    notBefore: 1_767_312_000,
    limits: '[{"environments":["prod"],"names":["ci/**"]}]',
    maxUses: 100,
    uses: 7,
  };
  const make = (
    name: string,
    comment: string,
    expect: Vector['expect'],
    r: TokenMacInput,
    mac = tokenMac(r),
  ) => ({
    name: `token-mac_${name}`,
    comment,
    expect,
    inputs: {
      kek: r.kek,
      'vault-id': r.vaultId,
      'token-id': r.id,
      'token-hash': r.tokenHash,
      name: r.name,
      scopes: r.scopes,
      trusted: r.trusted,
      confirm: r.confirm,
      'created-at': r.createdAt,
      'expires-at': r.expiresAt ?? 'never',
      'not-before': r.notBefore ?? 'never',
      limits: r.limits,
      'max-uses': r.maxUses ?? 'any',
      uses: r.uses,
    },
    blob: mac,
  });
  const mac = tokenMac(row);
  const bad = (name: string, comment: string, change: Partial<TokenMacInput>, stored = mac) =>
    make(`bad-${name}`, comment, 'integrity', { ...row, ...change }, stored);
  const forever = { ...row, expiresAt: null };
  const unlimited = { ...row, notBefore: null, limits: '[]', maxUses: null, uses: 0 };
  return [
    make('expiring', 'a token that expires', 'success', row),
    make('trusted', 'a trusted token', 'success', { ...row, trusted: 1 }),
    make('forever', 'a token that never expires', 'success', forever),
    make('unlimited', 'a token that may reach everything, from the beginning', 'success', unlimited),
    bad('limits', 'its limits were taken away', { limits: '[]' }),
    bad('limits-wider', 'another environment was added', {
      limits: '[{"environments":["prod","dev"],"names":["ci/**"]}]',
    }),
    bad('max-uses', 'it may be used more often', { maxUses: 101 }),
    bad('max-uses-any', 'it may be used as often as wanted', { maxUses: null }),
    bad('uses', 'a use was taken back', { uses: 6 }),
    bad('not-before', 'it is valid earlier', { notBefore: 1_767_225_600 }),
    bad('not-before-gone', 'it is valid from the beginning', { notBefore: null }),
    bad('not-before-zero', 'a beginning of 0 is not "none"', { notBefore: 0 }, tokenMac(unlimited)),
    bad('times-swapped', 'beginning and end changed places', {
      notBefore: row.expiresAt,
      expiresAt: row.notBefore,
    }),
    bad('scopes', 'the token was given a scope', { scopes: 'read,write,admin' }),
    bad('trusted', 'it was made a trusted one', { trusted: 1 }),
    bad('trusted-two', 'trusted, as no row can be', { trusted: 2 }),
    bad('confirm', 'the owner is not asked any more', { confirm: 0 }),
    bad('expires-at', 'its life was prolonged', { expiresAt: 1_830_297_600 }),
    bad('never', 'it was made to live for ever', { expiresAt: null }),
    bad('expires-at-zero', 'an expiry of 0 is not "never"', { expiresAt: 0 }, tokenMac(forever)),
    bad('created-at', 'the time of creation was edited', { createdAt: 1 }),
    bad('token-hash', 'the row was given another token', { tokenHash: seed('hash', 32) }),
    bad('token-id', 'another id', { id: '00c0ffee00c0ffef' }),
    bad('name', 'another name', { name: 'deploy' }),
    bad('boundary', 'a character moved from the name to the scopes', {
      name: 'deploy robo',
      scopes: 'tread,write',
    }),
    bad('vault-id', 'the row of another vault', { vaultId: seed('other vault id', 16) }),
    bad('kek', 'another KEK', { kek: seed('other kek', 32) }),
    bad('mac-flipped', 'one bit of the MAC is flipped', {}, flip(mac, 31)),
    bad('mac-truncated', 'the last byte of the MAC is missing', {}, mac.subarray(0, 31)),
    bad('mac-empty', 'no MAC', {}, Buffer.alloc(0)),
  ];
}
