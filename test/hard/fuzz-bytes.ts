/**
 * A fuzzer of raw bytes: noise, pieces of HTTP in any order, and good requests with some bytes changed, in one piece or
 * two, from clients that stay and clients that leave. Never a 5xx but 503, never a hang, and afterwards everything still
 * works.
 */
import { connect } from 'node:net';
import t from 'tap';
import { fuzz, PATIENCE_MS, serveFuzzed, stillWorks } from '../fixtures/fuzz.ts';
import { countDescriptors } from '../fixtures/process-figures.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { type RawCase, rawCases, TOKEN_MARK } from '../fixtures/raw-cases.ts';

t.setTimeout(590_000);
const CLIENTS = 48;
/** What is answered with nothing waits for more bytes, most likely: then its client is done. */
const SILENCE_MS = 10;

const fuzzed = await serveFuzzed(t);
const { daemon } = fuzzed;
const pid = daemon.child.pid ?? 0;

const answers = new Map<string, number>();

/** What was wrong with it, or null. */
function sendCase({ bytes, manner }: RawCase): Promise<string | null> {
  const sent = withToken(bytes);
  return new Promise((resolve) => {
    let received = '';
    const describe = (what: string) => `${what} after ${manner} ${JSON.stringify(bytes.toString('latin1'))}`;
    const socket = connect({ path: daemon.socket });
    const hung = setTimeout(() => {
      resolve(describe('the connection was left open'));
      socket.destroy();
    }, PATIENCE_MS);
    let silence: NodeJS.Timeout | undefined;
    const waitForMore = () => {
      clearTimeout(silence);
      silence = setTimeout(() => socket.end(), SILENCE_MS);
    };
    socket.setEncoding('latin1').on('data', (text) => {
      received += text;
      waitForMore();
    });
    // A server that refuses may close while we are still sending.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(hung);
      clearTimeout(silence);
      const wrong = findWrong(received);
      resolve(wrong === null ? null : describe(wrong));
    });
    socket.once('connect', () => {
      const middle = manner === 'split' ? sent.length >> 1 : sent.length;
      socket.write(sent.subarray(0, middle));
      if (manner === 'leave') return void setImmediate(() => socket.destroy());
      waitForMore();
      if (middle < sent.length) setImmediate(() => socket.write(sent.subarray(middle)));
    });
  });
}

function withToken(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replaceAll(TOKEN_MARK, daemon.admin);
  return Buffer.from(text, 'latin1');
}

/** What came back, for as long as it did: nothing, or answers, none of them a failure. */
function findWrong(received: string): string | null {
  if (received !== '' && !received.startsWith('HTTP/1.1 ')) return 'something that is no answer';
  const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d\d\d) [A-Z]/gm)].map(([, status = '']) => status);
  for (const status of statuses) answers.set(status, (answers.get(status) ?? 0) + 1);
  return statuses.find((status) => status.startsWith('5') && status !== '503') ?? null;
}

t.test('raw bytes > any > no 5xx but 503, no hang', async (t) => {
  const descriptors = countDescriptors(pid);
  await fuzz(t, rawCases(), { clients: CLIENTS, atOnce: 1 }, async ([given]) =>
    given === undefined ? [] : [await sendCase(given)],
  );
  const shown = [...answers].sort().map(([status, times]) => `${status}: ${times}`);
  t.comment(`figure: answers ${shown.join(', ')}`);
  t.ok(
    (answers.get('200') ?? 0) > 0 && (answers.get('201') ?? 0) > 0,
    'some of it was good enough to be done',
  );
  await waitUntil(() => countDescriptors(pid) <= descriptors);
  t.pass('no connection is left');
  await stillWorks(t, fuzzed);
});
