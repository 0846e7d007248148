/** A value as a dotenv file has it. */

/** Returns the text as it is where all readers take it so, else in quotation marks. */
export function quoteDotenv(text: string): string {
  if (/^[\w./:@%+,-]*$/.test(text)) return text;
  return text.includes("'") || text.includes('\n') ? JSON.stringify(text) : `'${text}'`;
}
