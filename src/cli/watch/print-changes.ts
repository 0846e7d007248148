/** Prints changes as they come: lines for people, or a JSON object each. */
import type { ChangeEvent } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import type { Input } from '../run/command.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { writePiece } from '../terminal/output.ts';
import { withDaemon } from '../vault/access.ts';
import { nameWriters } from '../vault/writer-names.ts';

/** Columns. Of most names; a longer one moves what follows. */
const NAME_WIDTH = 32;
const KIND_WIDTH = 'generate'.length;
const VERSION_WIDTH = 'VERSION'.length;
const TIME_WIDTH = '2026-11-30 14:05'.length;

/** Resolves when nobody reads the output any more. */
export async function printChanges(
  input: Input,
  events: AsyncGenerator<ChangeEvent, void, undefined>,
): Promise<ExitCode> {
  const format = input.output === 'jsonl' ? formatJson : await prepareLines(input);
  for await (const event of events) {
    const text = format(event);
    if (text !== '' && !(await writePiece(input.context, text))) break;
  }
  return EXIT.done;
}

function formatJson(event: ChangeEvent): string {
  return `${JSON.stringify(event)}\n`;
}

async function prepareLines(input: Input): Promise<(event: ChangeEvent) => string> {
  // The tokens of today: one that is made later is named by its id.
  const nameWriter = await withDaemon(input, (client) => nameWriters(client, ['']));
  let isFirst = true;
  return (event) => {
    const wasFirst = isFirst;
    isFirst = false;
    if (event.event === 'reset') {
      if (wasFirst) return formatLine('WHEN', 'CHANGE', 'VERSION', 'SECRET', 'BY');
      input.context.say(MISSED);
      return '';
    }
    const { changed_at: at, change, version, name, environment, written_by: by } = event;
    const secret = describeSecret(name, environment);
    return formatLine(formatTime(at), change, version === 0 ? '' : String(version), secret, nameWriter(by));
  };
}

const MISSED =
  'Note: some changes may not be shown: the daemon was started again, or too much changed at once.';

function formatLine(when: string, change: string, version: string, secret: string, by: string): string {
  const [first, second, third] = [
    when.padEnd(TIME_WIDTH),
    change.padEnd(KIND_WIDTH),
    version.padStart(VERSION_WIDTH),
  ];
  return `${first}  ${second}  ${third}  ${secret.padEnd(NAME_WIDTH)}  ${by}\n`;
}
