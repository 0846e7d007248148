/**
 * Reads the body of a batch-get, which names secrets and fields. Not with zod: a reader thread does not load it. Names are
 * plaintext.
 */

import { BodyError, quoteName } from '../errors/request-error.ts';
import { JsonScanner, OPEN_BRACE, OPEN_BRACKET } from '../json/scan.ts';
import type { SecretName } from '../messages.ts';
import { ItemProblem, readList, readName, skipNull } from './list-items.ts';

export const MAX_REFS = 1_000;

const LIST = 'refs';

export interface SecretRef extends SecretName {
  /** Absent: the whole secret. */
  readonly field?: string;
}

/** Returns 1 to MAX_REFS references. Throws BodyError, which names the wrong place as `"refs"[3]."name"`. */
export function parseRefs(body: Uint8Array | null): SecretRef[] {
  if (body === null || body.length === 0) throw new BodyError('a JSON body is required');
  const scanner = new JsonScanner(body);
  if (scanner.peek() !== OPEN_BRACE) throw new BodyError('the body must be a JSON object');
  let refs: SecretRef[] | null = null;
  scanner.members((member) => {
    if (member !== LIST) throw new BodyError(`unknown member ${quoteName(member)}`);
    if (!skipNull(scanner)) refs = readRefs(scanner);
  });
  scanner.end();
  if (refs === null) throw new BodyError(`${quoteName(LIST)} is required`);
  return refs;
}

function readRefs(scanner: JsonScanner): SecretRef[] {
  const refs = scanner.peek() === OPEN_BRACKET ? readList(scanner, LIST, () => readRef(scanner)) : [];
  if (refs.length === 0 || refs.length > MAX_REFS)
    throw new BodyError(`${quoteName(LIST)} must be a list of 1 to ${MAX_REFS} references`);
  return refs;
}

function readRef(scanner: JsonScanner): SecretRef {
  if (scanner.peek() !== OPEN_BRACE) throw new ItemProblem(' ', 'must be an object');
  const draft: { name?: string; environment?: string; field?: string } = {};
  scanner.members((member) => {
    if (member !== 'name' && member !== 'environment' && member !== 'field')
      throw new ItemProblem(': ', `unknown member ${quoteName(member)}`);
    if (!skipNull(scanner)) draft[member] = readName(scanner, member);
  });
  const { name, environment = '', field } = draft;
  if (name === undefined) throw new ItemProblem('.', '"name" is required');
  return { name, environment, ...(field === undefined ? {} : { field }) };
}
