/**
 * Abuse of the socket, one kind after the other and together, while a well-behaved client asks for a secret every 50 ms
 * on a new connection and on one that it keeps: it is answered within a second throughout, the daemon's memory stays
 * bounded, nothing crashes, and nothing that was a body is taken for a request.
 */
import t from 'tap';
import { type Abuse, checkAfterwards, during, FLOOD, serveAbused } from '../fixtures/abused.ts';
import {
  idle,
  pipelined,
  resting,
  slowBodies,
  slowHeaders,
  stalledLists,
  stalledReaders,
  together,
} from '../fixtures/connection-abuses.ts';
import { countDescriptors, readDescriptorLimit, readMemory } from '../fixtures/process-figures.ts';
import { skipWithout } from '../fixtures/programs.ts';
import { asNames, endlessBody, hugeHeaders, nested, smuggling } from '../fixtures/request-abuses.ts';

t.setTimeout(600_000);

const ABUSES: Record<string, Abuse> = {
  'idle connections': idle,
  'connections that rest': resting,
  'slow headers': slowHeaders,
  'slow bodies': slowBodies,
  'readers that stall': stalledReaders,
  'readers that stall after many requests': stalledLists,
  'pipelining without reading': pipelined,
  'an endless body': endlessBody,
  'nested brackets': nested,
  'headers of 10 MiB': hugeHeaders,
  'request smuggling': smuggling,
  'names of prototypes': asNames,
  'all idle kinds together': together,
};

/** Those that make it hold most. */
const AGAIN = { stalledReaders, stalledLists, pipelined };

/** Both ends of every connection are not in one process, but the flood is all in this one. */
const SKIP_FLOOD =
  process.platform !== 'linux'
    ? 'reads /proc'
    : readDescriptorLimit('self') < FLOOD + 1_000
      ? `needs ${FLOOD + 1_000} descriptors`
      : false;

t.test('abuse > each kind > the well-behaved client is answered', { skip: SKIP_FLOOD }, async (t) => {
  const abused = await serveAbused(t);
  for (const [name, abuse] of Object.entries(ABUSES)) {
    await t.test(name, (t) => during(t, abused, () => abuse(t, abused)));
  }
  const peak = readMemory(abused.pid).peak;
  for (const [name, abuse] of Object.entries(AGAIN)) {
    await t.test(`${name}, again`, (t) => during(t, abused, () => abuse(t, abused)));
  }
  const again = readMemory(abused.pid).peak;
  t.ok(again < peak * 1.1, `it does not add up: ${Math.round(peak)}, then ${Math.round(again)} MiB`);
  await checkAfterwards(t, abused);
});

const FEW = 1_024;

t.test(
  `abuse > no more than ${FEW} descriptors > the well-behaved client is answered`,
  { skip: SKIP_FLOOD || skipWithout('prlimit') },
  async (t) => {
    const abused = await serveAbused(t, ['prlimit', `--nofile=${FEW}:${FEW}`]);
    t.equal(readDescriptorLimit(abused.pid), FEW);
    for (const [name, abuse] of Object.entries({ idle, resting, together })) {
      await t.test(name, (t) =>
        during(t, abused, async () => {
          const outcome = await abuse(t, abused);
          t.ok(countDescriptors(abused.pid) < FEW - 32, 'descriptors are left');
          return outcome;
        }),
      );
    }
    await checkAfterwards(t, abused);
  },
);
