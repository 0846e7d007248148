/**
 * Text for a terminal: what somebody else wrote cannot move the cursor, colour the screen, break the line, turn it
 * around or hide in it.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Control and format characters (zero-width and bidirectional ones), line and paragraph separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
