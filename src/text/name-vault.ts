/** Puts `--vault NAME` into the commands that this process tells people to run, if it was run with a vault's name. */

interface Named {
  readonly vault: string;
  /** Words with which commands begin. Other words behind "mav" are prose. */
  readonly commands: ReadonlySet<string>;
}

/** A property of the process, because the program's bundles have copies of this file. */
const NAMED = Symbol.for('maestrovault.named-vault');
const holder = globalThis as { [NAMED]?: Named | null };

/** Called once a run, before anything is printed. null: no vault was named. */
export function noteNamedVault(named: Named | null): void {
  holder[NAMED] = named;
}

/** `text` is one of ours. It may quote names, but is not itself data. */
export function nameVault(text: string): string {
  const named = holder[NAMED];
  if (!named) return text;
  return text.replaceAll(/\bmav ([a-z]+)\b/g, (said, word: string) =>
    named.commands.has(word) ? `mav --vault ${named.vault} ${word}` : said,
  );
}
