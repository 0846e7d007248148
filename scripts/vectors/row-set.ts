/** Vectors of the set of rows: the numbers of rows, their sums, and the state. */
import { addUp, cover, rowNumber, type SetHead, sealState } from '../../test/fixtures/row-set-reader.ts';
import { damages, flip, patch, SECRET, seed, type Vector } from './vector.ts';

const SET_KEY = seed('row set key', 32);
const { vaultId } = SECRET;
const HEAD: SetHead = { vaultId, epoch: 41, writtenAt: 1_767_225_600 };

export function rowSetVectors(): Vector[] {
  return [...numberVectors(), ...sumVectors(), ...stateVectors()];
}

function numberVectors(): Vector[] {
  const make = (name: string, comment: string, table: string, covered: Buffer, vault = vaultId): Vector => ({
    name: `row-number_${name}`,
    comment,
    expect: 'success',
    inputs: { 'set-key': SET_KEY, 'vault-id': vault, table, covered },
    blob: rowNumber(SET_KEY, vault, table, covered),
  });
  const wrap = seed('wrapped dek', 93);
  const deleted = cover([17, 'größe', '', 1_767_225_600]);
  return [
    make('secret', 'a secret: its wrapped DEK alone', 'secrets', wrap),
    make('version', 'the same bytes in another table', 'versions', wrap),
    make('other-vault', 'the same bytes in another vault', 'secrets', wrap, seed('other vault id', 16)),
    make('several', 'several columns, as literals of their bytes', 'deleted', deleted),
    make('null', 'a column that is NULL', 'old_fields', cover([wrap, 17, null])),
    make('empty', 'nothing at all', 'tokens', Buffer.alloc(0)),
  ];
}

function sumVectors(): Vector[] {
  const make = (name: string, comment: string, numbers: readonly Buffer[]): Vector => ({
    name: `row-sum_${name}`,
    comment,
    expect: 'success',
    inputs: { numbers: numbers.map((number) => number.toString('hex')).join(' ') },
    blob: addUp(numbers),
  });
  const [one, other, third] = ['one', 'other', 'third'].map((label) => seed(`number ${label}`, 32)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const most = Buffer.alloc(32, 0xff);
  return [
    make('none', 'of no rows', []),
    make('one', 'of one row', [one]),
    make('three', 'of three rows', [one, other, third]),
    make('order', 'the order says nothing', [third, one, other]),
    make('twice', 'a row that is there twice counts twice', [one, one]),
    make('overflow', 'it goes on at 0', [most, most]),
  ];
}

function stateVectors(): Vector[] {
  const make = (
    name: string,
    comment: string,
    expect: Vector['expect'],
    change: Partial<SetHead>,
    blob: Buffer,
    setKey = SET_KEY,
  ): Vector => ({
    name: `row-set_${name}`,
    comment,
    expect,
    inputs: {
      'set-key': setKey,
      'vault-id': change.vaultId ?? HEAD.vaultId,
      epoch: change.epoch ?? HEAD.epoch,
      'written-at': change.writtenAt ?? HEAD.writtenAt,
      sums,
    },
    blob,
  });
  const sums = seed('sums', 408);
  const nonce = seed('row set nonce', 24);
  const state = sealState(SET_KEY, HEAD, nonce, sums);
  const far = { epoch: 2 ** 53 - 1, writtenAt: 2 ** 32 };
  const bad = (name: string, comment: string, change: Partial<SetHead>, blob = state, key = SET_KEY) =>
    make(`bad-${name}`, comment, 'integrity', change, blob, key);
  return [
    make('usual', 'a usual state', 'success', {}, state),
    make(
      'far',
      'numbers of more than 32 bits',
      'success',
      far,
      sealState(SET_KEY, { ...HEAD, ...far }, nonce, sums),
    ),
    bad('epoch-lower', 'the epoch is one lower', { epoch: HEAD.epoch - 1 }),
    bad('epoch-higher', 'the epoch is one higher', { epoch: HEAD.epoch + 1 }),
    bad('written-at', 'the time was changed', { writtenAt: HEAD.writtenAt + 1 }),
    bad('vault-id', 'the state of another vault', { vaultId: seed('other vault id', 16) }),
    bad('set-key', 'another key', {}, state, seed('other row set key', 32)),
    bad('suite-one', 'another suite', {}, patch(state, Buffer.from([1]), 4)),
    bad('wrap-magic', 'the magic of a wrap', {}, patch(state, Buffer.from('MAVK'), 0)),
    bad('nonce-flipped', 'one bit of the nonce is flipped', {}, flip(state, 5)),
    bad('short', 'a table is missing', {}, sealState(SET_KEY, HEAD, nonce, sums.subarray(40))),
    ...damages(state).map(([name, comment, blob]) => bad(name, comment, {}, blob)),
  ];
}
