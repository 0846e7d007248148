/** Makes the text that a search looks through: names and metadata, with their case folded. Values are never searched. */

/** A noncharacter of Unicode between the parts, so that no match can span two of them. */
const SEPARATOR = '\ufdd0';

/** Folds the case of any script. Replaces the separator and NUL, which a search text cannot have. */
export function foldSearchText(text: string): string {
  // toLowerCase makes a final sigma at the end of a word, but the end of a query need not be the end of a word.
  return text.toLowerCase().replaceAll('ς', 'σ').replaceAll(SEPARATOR, '\ufffd').replaceAll('\0', '\ufffd');
}

export function buildSearchText(name: string, environment: string, metadataTexts: readonly string[]): string {
  return [name, environment, ...metadataTexts].map(foldSearchText).join(SEPARATOR);
}
