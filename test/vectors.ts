/** Our own vectors in test/vectors/mav5: each ends as it says, and scripts/vectors.ts makes the same ones. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { buildVectors, VECTORS_FOLDER } from '../scripts/vectors.ts';
import { type ContextKind, encodeContext } from '../workers/envelope/context.ts';
import { IntegrityError } from '../workers/envelope/integrity.ts';
import { asKek } from '../workers/envelope/keys.ts';
import { unwrapForRecovery } from '../workers/envelope/recovery-slot.ts';
import { digestRow } from '../workers/envelope/row-digest.ts';
import { computeTokenMac, type TokenRow, verifyTokenMac } from '../workers/envelope/row-mac.ts';
import {
  addToSum,
  decryptState,
  deriveRowKey,
  deriveStateKey,
  hashCovered,
  takeFromSum,
} from '../workers/envelope/row-set.ts';
import { unwrapRootKey } from '../workers/envelope/slot.ts';
import { readWrap } from '../workers/envelope/wrap.ts';
import { decodeRecoveryCode } from '../workers/generated/recovery-code.ts';
import { SUMS_SIZE } from '../workers/row-set/row-sums.ts';
import { deriveMacKey, hex, isUniformFailure, openPayload, openWrap } from './fixtures/envelope.ts';

// Our own vectors: test/vectors/mav5, written by scripts/vectors.ts.

/** The members of a header; an absent one is a mistake in the vector. */
type Header = (key: string) => string;

function parseVector(file: string): { header: Header; blob: Buffer } {
  const [head = '', body = ''] = readFileSync(new URL(file, VECTORS_FOLDER), 'utf8').split(/\n\n/, 2);
  const members = new Map<string, string>();
  for (const [, key = '', value = ''] of head.matchAll(/^([a-z-]+):(?: (.*))?$/gm)) members.set(key, value);
  const header = (key: string): string => {
    const value = members.get(key);
    if (value === undefined) throw new Error(`${file} has no ${key}`);
    return value;
  };
  return { header, blob: hex(body.replaceAll('\n', '')) };
}

const readContext = (h: Header): Buffer =>
  encodeContext({
    vaultId: hex(h('vault-id')),
    kind: h('context-kind') as ContextKind,
    environment: h('environment'),
    name: h('name'),
    field: h('field'),
    version: Number(h('version')),
  });

const readDigest = (h: Header): Buffer =>
  digestRow({
    id: Number(h('secret-id')),
    metadata: h('metadata'),
    createdAt: Number(h('created-at')),
    updatedAt: Number(h('updated-at')),
    writtenBy: h('written-by'),
    accepted: Number(h('accepted')),
    expiresAt: Number(h('expires-at')),
    rotateBy: Number(h('rotate-by')),
    confirm: Number(h('confirm')),
    revision: Number(h('revision')),
    change: h('change'),
    isOld: h('old') === '1',
    fields: [...h('fields').matchAll(/(\S+)=(\d+)/g)].map(([, field = '', version]) => ({
      field,
      version: Number(version),
    })),
  });

const readTokenRow = (h: Header): TokenRow => ({
  vaultId: hex(h('vault-id')),
  id: h('token-id'),
  tokenHash: hex(h('token-hash')),
  name: h('name'),
  scopes: h('scopes'),
  trusted: Number(h('trusted')),
  confirm: Number(h('confirm')),
  createdAt: Number(h('created-at')),
  expiresAt: h('expires-at') === 'never' ? null : Number(h('expires-at')),
  notBefore: h('not-before') === 'never' ? null : Number(h('not-before')),
  limits: h('limits'),
  maxUses: h('max-uses') === 'any' ? null : Number(h('max-uses')),
  uses: Number(h('uses')),
});

/** By kind: opens the blob and returns what must be equal, [what came out, what the header expects]. */
const openers: Record<string, (h: Header, blob: Buffer) => [Uint8Array, Uint8Array]> = {
  payload: (h, blob) => [openPayload(hex(h('dek')), blob, readContext(h)), hex(h('plaintext'))],
  wrap: (h, blob) => {
    const unwrapped = openWrap(hex(h('wrapping-key')), blob, readContext(h), readDigest(h));
    return [Buffer.concat([readWrap(blob).keyId, unwrapped]), hex(h('wrapping-key-id') + h('key'))];
  },
  recovery: (h, blob) => {
    const code = decodeRecoveryCode(Buffer.from(h('words')));
    if (!hex(h('code')).equals(code)) throw new Error('the words are not those of the code');
    return [unwrapForRecovery(code, blob, readContext(h)), hex(h('root-key'))];
  },
  slot: (h, blob) => [unwrapRootKey(Buffer.from(h('passphrase')), blob, readContext(h)), hex(h('root-key'))],
  'row-digest': (h, blob) => [readDigest(h), blob],
  'row-number': (h, blob) => {
    const [key, number] = [Buffer.alloc(32), Buffer.alloc(32)];
    deriveRowKey(hex(h('set-key')), hex(h('vault-id')), h('table'), key);
    hashCovered(key, hex(h('covered')), number);
    return [number, blob];
  },
  'row-sum': (h, blob) => {
    const numbers = h('numbers').split(' ').filter(Boolean).map(hex);
    const sum = Buffer.alloc(32);
    for (const number of numbers) addToSum(sum, number);
    const rest = Buffer.from(sum);
    for (const number of numbers) takeFromSum(rest, number);
    return [Buffer.concat([sum, rest]), Buffer.concat([blob, Buffer.alloc(32)])];
  },
  'row-set': (h, blob) => {
    const [key, sums] = [Buffer.alloc(32), Buffer.alloc(SUMS_SIZE)];
    const head = {
      vaultId: hex(h('vault-id')),
      epoch: Number(h('epoch')),
      writtenAt: Number(h('written-at')),
    };
    deriveStateKey(hex(h('set-key')), head.vaultId, key);
    decryptState(key, blob, head, sums);
    return [sums, hex(h('sums'))];
  },
  'token-mac': (h, blob) => {
    const row = readTokenRow(h);
    const macKey = deriveMacKey(asKek(hex(h('kek'))), row.vaultId);
    if (!verifyTokenMac(macKey, row, blob)) throw new IntegrityError();
    return [computeTokenMac(macKey, row), blob];
  },
};

t.test('vectors > every file > ends as it says', async (t) => {
  const files = readdirSync(VECTORS_FOLDER);
  t.ok(files.length > 100);
  for (const file of files) {
    const { header, blob } = parseVector(file);
    const opener = openers[header('kind')];
    if (opener === undefined) throw new Error(`${file} is of an unknown kind`);
    const open = () => opener(header, blob);
    if (header('expect') === 'success') {
      const [actual, expected] = open();
      t.ok(Buffer.from(actual).equals(expected), `${file}: ${header('comment')}`);
    } else {
      t.equal(header('expect'), 'integrity');
      t.ok(isUniformFailure(open), `${file}: ${header('comment')}`);
    }
  }
});

t.test('vectors > generated again > the same files', async (t) => {
  const vectors = buildVectors();
  t.same([...vectors.keys()].sort(), readdirSync(VECTORS_FOLDER).sort());
  for (const [file, expected] of vectors) {
    t.equal(readFileSync(new URL(file, VECTORS_FOLDER), 'utf8'), expected, file);
  }
});
