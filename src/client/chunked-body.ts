/** A body that comes in chunks, because its length was not known when it began (RFC 9112 section 7.1). */
import { ConnectionError } from './connection-error.ts';

/** A chunk's size and whatever extensions follow it; our daemon sends none. */
const MAX_SIZE_LINE = 1_024;
const MAX_TRAILERS_SIZE = 65_536;
/** At most 48 bits, so that a size is an exact number. */
const SIZE_LINE = /^([0-9a-f]{1,12})[\t ]*(?:;.*)?$/i;
const CR = 0x0d;
const LF = 0x0a;

type Expecting = 'size' | 'data' | 'data-end' | 'trailers' | 'nothing';

export class ChunkedBody {
  #expecting: Expecting = 'size';
  /** Bytes of the chunk that are still to come. */
  #missing = 0;
  /** Views of what was received: joined once, when all is there. */
  #data: Buffer[] = [];
  /** The beginning of a line whose end has not arrived. */
  #line = '';
  #trailersSize = 0;

  /** Takes bytes of the body. Returns the bytes behind its end, or null until it has ended. */
  add(received: Buffer): Buffer | null {
    let rest = received;
    while (this.#expecting !== 'nothing') {
      if (rest.length === 0) return null;
      rest = this.#expecting === 'data' ? this.#takeData(rest) : this.#takeLine(rest);
    }
    return rest;
  }

  /** Takes out what has arrived so far. `join` then returns the rest. */
  takeArrived(): Buffer[] {
    const arrived = this.#data;
    this.#data = [];
    return arrived;
  }

  /** Returns the whole body. Call it once `add` has returned bytes. */
  join(): Buffer {
    return Buffer.concat(this.#data);
  }

  #takeData(from: Buffer): Buffer {
    const data = from.subarray(0, this.#missing);
    this.#data.push(data);
    this.#missing -= data.length;
    if (this.#missing === 0) this.#expecting = 'data-end';
    return from.subarray(data.length);
  }

  #takeLine(from: Buffer): Buffer {
    const end = from.indexOf(LF);
    this.#line += from.toString('latin1', 0, end < 0 ? from.length : end);
    this.#checkLength();
    if (end < 0) return from.subarray(from.length);
    // A bare LF ends a line for some readers and not for others (RFC 9112 section 2.2).
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR) throw malformedChunks();
    const line = this.#line.slice(0, -1);
    this.#line = '';
    this.#useLine(line);
    return from.subarray(end + 1);
  }

  #checkLength(): void {
    const length = this.#line.length;
    if (this.#expecting === 'trailers') {
      if (this.#trailersSize + length > MAX_TRAILERS_SIZE) throw malformedChunks();
    } else if (length > MAX_SIZE_LINE) throw malformedChunks();
  }

  #useLine(line: string): void {
    if (this.#expecting === 'size') this.#begin(line);
    else if (this.#expecting === 'trailers') this.#skipTrailer(line);
    else if (line === '') this.#expecting = 'size';
    else throw malformedChunks();
  }

  #begin(line: string): void {
    const size = SIZE_LINE.exec(line)?.[1];
    if (size === undefined) throw malformedChunks();
    this.#missing = Number.parseInt(size, 16);
    this.#expecting = this.#missing === 0 ? 'trailers' : 'data';
  }

  #skipTrailer(line: string): void {
    this.#trailersSize += line.length;
    if (line === '') this.#expecting = 'nothing';
  }
}

function malformedChunks(): ConnectionError {
  return new ConnectionError('the daemon sent an answer in malformed chunks');
}
