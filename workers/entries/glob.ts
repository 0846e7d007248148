/** Globs of names: `*` stands for any text within a segment, `**` across `/` as well. Every other character is itself. */

/**
 * Returns whether the whole name matches. Its time grows with the product of the two lengths, however many stars there are: a
 * regular expression would try all the ways to share the name among them.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let reached = new Set([0]);
  for (let at = 0; at < glob.length; at++) {
    if (glob[at] !== '*') reached = stepOver(reached, glob[at] ?? '', name);
    else if (glob[at + 1] === '*') {
      reached = spread(reached, name, false);
      at += 1;
    } else reached = spread(reached, name, true);
    if (reached.size === 0) return false;
  }
  return reached.has(name.length);
}

/** Returns the places just after this character. */
function stepOver(reached: ReadonlySet<number>, character: string, name: string): Set<number> {
  const next = new Set<number>();
  for (const at of reached) if (name[at] === character) next.add(at + 1);
  return next;
}

/** Returns all places from these on, up to the next `/` if the star stays within its segment. */
function spread(reached: ReadonlySet<number>, name: string, staysInside: boolean): Set<number> {
  const next = new Set<number>();
  for (const start of [...reached].sort((one, other) => one - other)) {
    for (let at = start; at <= name.length && !next.has(at); at++) {
      next.add(at);
      if (staysInside && name[at] === '/') break;
    }
  }
  return next;
}
