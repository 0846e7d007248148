/** A value on a terminal: what could move the cursor, change colours or type for the user is not sent there. */
import { isUtf8 } from 'node:buffer';
import { CliError, EXIT } from './failure.ts';

/** The value's text without the newline at its end. Throws CliError if a terminal cannot show it as it is. */
export function showValue(value: Uint8Array): string {
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString();
  if (!isUtf8(value) || /[^\P{Cc}\n\t]/u.test(text.replaceAll('\r\n', '\n'))) {
    throw new CliError(
      EXIT.failed,
      'the value has bytes that a terminal cannot show; send it into a file or a pipe: mav get … > FILE',
    );
  }
  return text.replace(/\r?\n$/, '');
}
