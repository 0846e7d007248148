/** The text in which a search looks, and how case is folded in it. Holds no secret: values are never searched. */

/** A noncharacter of Unicode: it stands between the parts, so that no match can span two of them. */
const SEPARATOR = '\ufdd0';

/** Folds case, whatever the script; what a search text cannot contain (the separator, NUL) is replaced alike. */
export function foldSearchText(text: string): string {
  // A final sigma is lower-cased by its position in the word; a substring has other positions.
  return text.toLowerCase().replaceAll('ς', 'σ').replaceAll(SEPARATOR, '\ufffd').replaceAll('\0', '\ufffd');
}

export function buildSearchText(name: string, environment: string, metadataTexts: readonly string[]): string {
  return [name, environment, ...metadataTexts].map(foldSearchText).join(SEPARATOR);
}
