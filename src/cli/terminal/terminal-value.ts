/**
 * A value on a terminal. A value with characters that could move the cursor, change colours, type for the user, or hide or
 * turn text is refused. It is not escaped, because what is shown may be copied and must be the value.
 */
import { isUtf8 } from 'node:buffer';
import { isShownAsItIs } from '../../text/escape-controls.ts';
import { withoutFinalNewline } from '../../text/final-newline.ts';
import { CliError, EXIT } from '../run/failure.ts';

/** Returns the value's text without its final newline. Throws CliError if a terminal cannot show it as it is. */
export function showValue(value: Uint8Array): string {
  const { buffer, byteOffset, length } = withoutFinalNewline(value);
  const text = Buffer.from(buffer, byteOffset, length).toString().replaceAll('\r\n', '\n');
  if (!isUtf8(value) || !isShownAsItIs(text)) {
    throw new CliError(
      EXIT.failed,
      'the value has bytes that a terminal cannot show; send it into a file or a pipe: mav get … > FILE',
    );
  }
  return text;
}
