/**
 * Writes test/vectors/mav5/*.txt, one test vector in each file: `key: value` lines (what is needed to open the blob, `expect`, and
 * a comment), an empty line, then the stored bytes in hex. Everything comes from fixed seeds and the slow reference
 * implementation, so it writes the same files each time. test/vectors.ts checks that.
 *
 *     node scripts/vectors.ts
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { payloadVectors } from './vectors/payload.ts';
import { recoveryVectors } from './vectors/recovery-slot.ts';
import { digestVectors } from './vectors/row-digest.ts';
import { rowSetVectors } from './vectors/row-set.ts';
import { slotVectors } from './vectors/slot.ts';
import { tokenMacVectors } from './vectors/token-mac.ts';
import type { Value, Vector } from './vectors/vector.ts';
import { wrapVectors } from './vectors/wrap.ts';

export const VECTORS_FOLDER = new URL('../test/vectors/mav5/', import.meta.url);

/** Returns the text of every vector, by file name. */
export function buildVectors(): Map<string, string> {
  const vectors = [
    ...payloadVectors(),
    ...wrapVectors(),
    ...slotVectors(),
    ...recoveryVectors(),
    ...digestVectors(),
    ...tokenMacVectors(),
    ...rowSetVectors(),
  ];
  return new Map(vectors.map((vector) => [`${vector.name}.txt`, format(vector)]));
}

function format({ name, comment, expect, inputs, blob }: Vector): string {
  const header = { comment, kind: name.slice(0, name.indexOf('_')), expect, ...inputs };
  const lines = Object.entries(header).map(([key, value]) => `${key}: ${formatValue(value)}`.trimEnd());
  const body = blob.toString('hex').match(/.{1,64}/g) ?? [];
  return `${[...lines, '', ...body].join('\n')}\n`;
}

function formatValue(value: Value): string {
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

function main(): void {
  mkdirSync(VECTORS_FOLDER, { recursive: true });
  for (const file of readdirSync(VECTORS_FOLDER)) rmSync(new URL(file, VECTORS_FOLDER));
  const vectors = buildVectors();
  for (const [file, text] of vectors) writeFileSync(new URL(file, VECTORS_FOLDER), text);
  console.log(`${vectors.size} vectors written to test/vectors/mav5`);
}

if (import.meta.main) main();
