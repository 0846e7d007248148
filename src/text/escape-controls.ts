/**
 * Text for a terminal, escaped: what other people wrote cannot move the cursor, colour the screen, break the line, turn it
 * around or hide in it.
 */

/**
 * Control and format characters (zero-width, bidirectional and tag ones), line and paragraph separators, lone
 * surrogates, and whatever else Unicode says is not to be seen. The two variation selectors of emoji stay: they choose
 * how the character before them looks. A joiner goes, though emoji of several parts have it: it hides in words as well.
 */
const findUnsafe = once(
  () => /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\ufe0e\ufe0f]]/gv,
);
/** The same without what stands between the lines and columns of data. */
const findUnsafeInData = once(
  () => /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]--[\ufe0e\ufe0f\n\t]]/gv,
);
/** Most text there is. */
const PLAIN = /^[ -~]*$/;
const PLAIN_DATA = /^[ -~\n\t]*$/;

/** Compiled on first use: that takes a tenth of a short command's time, and most have nothing to escape. */
function once(compile: () => RegExp): () => RegExp {
  let compiled: RegExp | undefined;
  return () => (compiled ??= compile());
}

/** As `\u{202e}`. */
export function escapeControls(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replaceAll(findUnsafe(), escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** A message of several lines, whose newlines stay. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}

/** Data of several lines: the tabs that make columns stay too. */
export function escapeData(text: string): string {
  return PLAIN_DATA.test(text) ? text : text.replaceAll(findUnsafeInData(), escapeCharacter);
}

/** JSON, in its own escapes: it says the same. */
export function escapeJson(json: string): string {
  return json.replaceAll(findUnsafe(), (character) => {
    // The only ones that can stand outside of a string.
    if (character === '\n' || character === '\t' || character === '\r') return character;
    return [...Array(character.length).keys()].map((at) => escapeUnit(character.charCodeAt(at))).join('');
  });
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Whether a terminal shows the text as it is: newlines and tabs are all that is in it beside what can be seen. */
export function isShownAsItIs(text: string): boolean {
  return escapeData(text) === text;
}
