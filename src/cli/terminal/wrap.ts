/** Our own text in lines that fit, broken between words. One column for each character: it is plain. */

/** A left column wider than this part of the line has its text on the line below. */
const LARGEST_SHARE = 0.4;
const GAP = '  ';

/** The text in lines of at most `width`, each behind `indent`; a word that is longer has a line of its own. */
export function wrapText(text: string, indent: string, width: number): string[] {
  const lines: string[] = [];
  let line = indent;
  // More than one space in a row is meant: the column of what is to be typed.
  for (const word of text.split(/(?<! ) (?! )/)) {
    if (line !== indent && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Two columns; the right one is broken between words. */
export function formatRows(
  rows: readonly (readonly [left: string, right: string])[],
  indent: string,
  width: number,
): string[] {
  const most = Math.floor(width * LARGEST_SHARE);
  const left = Math.max(0, ...rows.map(([text]) => text.length).filter((length) => length <= most));
  const hanging = indent + ' '.repeat(left) + GAP;
  return rows.flatMap(([name, text]) => {
    const [first = '', ...more] = wrapText(text, hanging, width);
    const isBeside = name.length <= left;
    return isBeside
      ? [indent + name.padEnd(left) + GAP + first.slice(hanging.length), ...more]
      : [indent + name, first, ...more];
  });
}
