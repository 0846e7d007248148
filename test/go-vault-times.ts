/** The Go program's times: SQLite's own text, RFC 3339, and what Go prints. */
import t from 'tap';
import { parseGoTime } from '../workers/go-vault/times.ts';

const NOON = Date.UTC(2026, 2, 1, 12, 30, 45) / 1000;

t.test('parseGoTime > every form that the program stores > the same second', async (t) => {
  for (const text of [
    '2026-03-01 12:30:45',
    '2026-03-01 12:30:45.987654321',
    '2026-03-01T12:30:45Z',
    '2026-03-01T12:30:45.5Z',
    '2026-03-01T14:30:45+02:00',
    '2026-03-01 12:30:45 UTC',
    '2026-03-01 12:30:45 +0000 UTC',
    '2026-03-01 12:30:45.123456789 +0000 UTC m=+0.012345678',
    '2026-03-01 13:30:45.1 +0100 CET',
    '2026-03-01 07:00:45 -0530 -0530',
    '2026-03-01 04:30:45 -0800 PST m=-1.5',
  ])
    t.equal(parseGoTime(text), NOON, text);
});

t.test('parseGoTime > no time after 1970 > null', async (t) => {
  for (const stored of [
    null,
    undefined,
    1_772_368_245,
    Buffer.from('2026-03-01 12:30:45'),
    '',
    'yesterday',
    '2026-03-01',
    '2026-13-01 12:30:45',
    '2026-03-01 25:30:45',
    '1969-12-31 23:59:59',
    '0001-01-01 00:00:00 +0000 UTC',
    '2026-03-01 12:30:45 and more',
  ])
    t.equal(parseGoTime(stored), null, String(stored));
});
