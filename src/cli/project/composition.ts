/** A value that is put together of others: `postgres://${DB_USER}@${DB_HOST}/app`, in which `$$` is a dollar sign. */

/** Texts, and between them the names of other variables of the project. */
export type Composition = readonly (string | { readonly name: string })[];

const PART = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$|[^$]+/g;

/** Returns null if a dollar sign is neither doubled nor the beginning of a name in braces. */
export function parseComposition(text: string): Composition | null {
  const parts: (string | { readonly name: string })[] = [];
  for (const [whole, name] of text.matchAll(PART)) {
    if (whole === '$') return null;
    if (name !== undefined) parts.push({ name });
    else parts.push(whole === '$$' ? '$' : whole);
  }
  return parts;
}

export function listNames(composition: Composition): string[] {
  return composition.flatMap((part) => (typeof part === 'string' ? [] : [part.name]));
}
