/** Text for a terminal: what somebody else wrote cannot move the cursor, colour the screen or turn the line around. */
export function escapeControls(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
