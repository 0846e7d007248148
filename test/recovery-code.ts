/** Recovery codes as bytes, compared with the package that the list of words comes from, and what is said of wrong ones. */
import { randomBytes } from 'node:crypto';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import t from 'tap';
import {
  decodeRecoveryCode,
  encodeRecoveryCode,
  generateRecoveryCode,
} from '../workers/generated/recovery-code.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const decode = (words: string) => Buffer.from(decodeRecoveryCode(Buffer.from(words)));

t.test('encode, decode > any code > the words of BIP-39, and back', async (t) => {
  const edges = [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.alloc(32, 0x80), Buffer.alloc(32, 0x7f)];
  for (const code of [...edges, ...Array.from({ length: 200 }, () => randomBytes(32))]) {
    const words = text(encodeRecoveryCode(code));
    if (words !== entropyToMnemonic(code, wordlist)) t.fail(code.toString('hex'));
    if (!decode(words).equals(code)) t.fail(`back: ${code.toString('hex')}`);
  }
  const made = text(generateRecoveryCode());
  t.equal(made.split(' ').length, 24);
  t.equal(mnemonicToEntropy(made, wordlist).length, 32);
  t.not(text(generateRecoveryCode()), made);
});

t.test('decode > case, spaces, lines and abbreviations > do not count', async (t) => {
  const code = randomBytes(32);
  const words = text(encodeRecoveryCode(code)).split(' ');
  for (const typed of [
    words.join(' ').toUpperCase(),
    `  ${words.join('   ')}\r\n`,
    words.join('\n'),
    words.map((word) => word.slice(0, 4)).join('\t'),
  ])
    t.ok(decode(typed).equals(code));
});

t.test('decode > a wrong code > says where, and never the word', async (t) => {
  const words = text(encodeRecoveryCode(Buffer.alloc(32, 7))).split(' ');
  const put = (at: number, word: string) => words.with(at, word).join(' ');
  const wrong: [typed: string, says: RegExp][] = [
    ['', /it has 0 words, and a recovery code has 24/],
    [words.slice(1).join(' '), /it has 23 words/],
    [`${words.join(' ')} zoo`, /it has 25 words/],
    [put(6, 'zzyzx'), /word 7 is not one of the words/],
    [put(0, `${words[0]}s`), /word 1 is not one of the words/],
    [put(23, (words[23] ?? '').slice(0, 3)), /word 24 is not one|do not fit together/],
    [put(23, words[23] === 'zoo' ? 'zone' : 'zoo'), /do not fit together/],
    [put(4, 'größe'), /word 5 is not one of the words/],
  ];
  for (const [typed, says] of wrong) {
    const error = t.throws(() => decode(typed), says) as Error;
    t.notMatch(error.message, /zzyzx|größe/);
  }
});
