/** JSON whose numbers stay as they were written: `1.0` and 40 digits are not what JavaScript makes of them. */

interface RawJson {
  readonly rawJSON: string;
}

/** V8's own, which the compiler's library does not describe yet (the proposal "JSON.parse source text access"). */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawJson;
};

/** As JSON.parse, but each number is an object that JSON.stringify writes as it was. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value,
  );
}
