/** Server-sent events as they arrive (WHATWG HTML section 9.2.6), as far as our daemon sends them. */

/** What stood between two blank lines. */
export interface ParsedEvent {
  /** Empty if the event has no name. */
  readonly event: string;
  /** undefined: no id was given, and the last one still holds. */
  readonly id: string | undefined;
  /** undefined: the event only sets the id. */
  readonly data: string | undefined;
}

/** Characters. Far more than an event of ours has. */
const MAX_EVENT_SIZE = 65_536;

export class EventParser {
  readonly #decoder = new TextDecoder();
  /** The beginning of an event of which the end has not arrived. */
  #rest = '';

  /** Returns the events that are complete now. Throws RangeError if what arrives is no such stream. */
  add(bytes: Uint8Array): ParsedEvent[] {
    const blocks = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > MAX_EVENT_SIZE) throw new RangeError('an event is too long');
    return blocks.map(parseBlock).filter(({ id, data }) => id !== undefined || data !== undefined);
  }
}

function parseBlock(block: string): ParsedEvent {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  return { event: fields.get('event') ?? '', id: fields.get('id'), data: fields.get('data') };
}
