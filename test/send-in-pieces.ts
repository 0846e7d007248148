/** Sending a response that comes in pieces: to a client that does not read, and when producing the next piece fails. */
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HttpError } from '../src/http/errors.ts';
import { type ListResponse, sendInPieces } from '../src/http/send-in-pieces.ts';
import { listenUntilEnd } from './fixtures/listening.ts';
import { RawConnection, waitUntil } from './fixtures/raw.ts';

/** A server that answers everything with these pieces, and what became of them. */
async function serveRest(t: Test, rest: () => ListResponse['rest']) {
  const outcomes: (string | null)[] = [];
  const holding = { hold: () => {}, release: () => {} };
  const server = createServer(async ({ method = '' }, response) => {
    const headers = ['Content-Type', 'application/json'];
    const about = { route: null, tokenId: null, code: null, requestId: '', isLast: false, isLive: false };
    const answer = { status: 200, headers, body: new Uint8Array([0x5b]), rest: rest(), ...about };
    outcomes.push(await sendInPieces(response, method, answer, holding, () => {}));
  });
  const path = await listenUntilEnd(t, server);
  return { path, outcomes };
}

const PIECE_SIZE = 65_536;

t.test(
  'stream > a client that does not read > a few pieces are taken and zeroed; the rest ends with it',
  async (t) => {
    const pieces: Uint8Array[] = [];
    let zeroed = 0;
    let isReturned = false;
    async function* produce() {
      try {
        for (let index = 0; index < 1_000; index++) {
          const piece = new Uint8Array(PIECE_SIZE).fill(0x20);
          pieces.push(piece);
          const fill = (byte: number) => {
            zeroed += byte === 0 ? 1 : 0;
            return Uint8Array.prototype.fill.call(piece, byte) as typeof piece;
          };
          yield Object.assign(piece, { fill });
        }
      } finally {
        isReturned = true;
      }
    }
    const { path, outcomes } = await serveRest(t, produce);
    const socket = connect(path);
    // Two requests: the second answer waits behind the first and must hold no more either.
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    let count = -1;
    while (count !== pieces.length) {
      count = pieces.length;
      await sleep(200);
    }
    t.ok(count > 0 && count * PIECE_SIZE < 2_000_000, `${count} pieces of 1,000`);
    t.notOk(isReturned);
    socket.destroy();
    await waitUntil(() => outcomes.length === 2);
    t.strictSame(outcomes, [null, null]);
    t.ok(isReturned, 'nobody is left to ask for more');
    t.equal(pieces.length, count);
    t.strictSame([zeroed, pieces.every(({ length }) => length === 0)], [count, true], 'zeroed, given back');
  },
);

t.test('stream > what it asks for fails, foreseen or not > cut, with the code', async (t) => {
  const errors = [new HttpError('busy', 'busy'), new Error('unforeseen')];
  const { path, outcomes } = await serveRest(t, async function* () {
    yield new Uint8Array([0x31]);
    throw errors.shift();
  });
  for (const code of ['busy', 'internal']) {
    const connection = await RawConnection.open(path);
    connection.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    t.strictSame(await connection.waitForEnd(), [], 'no whole answer');
    t.equal(outcomes.at(-1), code);
  }
});
