/** Pages of vault.db are damaged: what is read is right or refused, nothing more is written, and an export saves the rest. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { createHeldVault, type Held, hold } from '../fixtures/held.ts';
import { waitUntil } from '../fixtures/raw.ts';
import { hashDatabase, hashFile } from '../fixtures/sealed.ts';
import { createStopped, NAMES, overwrite, startAgain, storedAt } from '../fixtures/stopped-vault.ts';
import { isIndexed } from '../fixtures/stored.ts';
import { mav } from '../fixtures/vault.ts';
import { checkVault } from '../fixtures/writes.ts';

t.jobs = 2;
t.setTimeout(600_000);

const PAGE_SIZE = 4_096;

/** What may happen to a page: written over, or one bit of it changed. */
const DAMAGES: Readonly<Record<string, (page: Buffer, number: number) => void>> = {
  'written over': (page) => page.fill(0xa5),
  'a bit flipped in its header': (page, number) => {
    const at = number % 12;
    page[at]! ^= 1 << (number % 8);
  },
  'a bit flipped': (page, number) => {
    const at = (number * 977) % PAGE_SIZE;
    page[at]! ^= 1 << (number % 8);
  },
};

type Outcome = 'right' | 'refused' | 'not found' | 'WRONG';

function judge(status: number, entry: any, name: string): Outcome {
  if (status === 404) return 'not found';
  if (status === 503 || entry?.code === 'integrity') return 'refused';
  const { value, fields } = storedAt(name);
  const isRight = status === 200 && entry.value === value;
  const hasFields = entry?.fields?.user === fields?.user && entry?.fields?.password === fields?.password;
  return isRight && hasFields ? 'right' : 'WRONG';
}

async function readAll({ ask }: Held): Promise<Outcome[]> {
  const answers = await Promise.all(NAMES.map((name) => ask('GET', `/v1/secrets/${name}?env=base`)));
  return answers.map(({ status, json }, index) => judge(status, json, NAMES[index]!));
}

/** By the export, which reads past damage. */
async function rescueAll({ ask }: Held): Promise<Outcome[]> {
  const { status, json } = await ask('GET', '/v1/export?env=base');
  if (status !== 200) return NAMES.map((name) => judge(status, json, name));
  return NAMES.map((name) => {
    const entry = json.find((each: any) => each.name === name);
    return judge(entry === undefined ? 404 : 200, entry, name);
  });
}

for (const [what, damage] of Object.entries(DAMAGES)) {
  t.test(`read > each page in turn ${what} > right or refused, never wrong; no write on it`, async (t) => {
    const sandbox = await createHeldVault(t);
    const made = await hold(t, sandbox);
    const body = { secrets: NAMES.map((name) => ({ name, environment: 'base', ...storedAt(name) })) };
    t.equal((await made.ask('POST', '/v1/import', { body })).status, 200);
    await waitUntil(() => isIndexed(sandbox.databasePath));
    await made.close();
    const whole = readFileSync(sandbox.databasePath);
    const pages = whole.length / PAGE_SIZE;
    const read: Outcome[] = [];
    const rescued: Outcome[] = [];
    const figures = {
      'not opened': 0,
      'writes refused': 0,
      'entries refused': 0,
      'search refused': 0,
      unused: 0,
    };
    for (let page = 0; page < pages; page++) {
      const damaged = Buffer.from(whole);
      damage(damaged.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE), page);
      writeFileSync(sandbox.databasePath, damaged);
      const before = hashDatabase(sandbox);
      const held = await hold(t, sandbox);
      const outcomes = await readAll(held);
      read.push(...outcomes);
      const check = await held.ask('GET', '/v1/check');
      rescued.push(...(await rescueAll(held)));
      const isOfFile = check.status === 200 && held.events.some((event) => event.startsWith('damaged: '));
      if (check.status === 503) figures['not opened'] += 1;
      else if (isOfFile) figures['writes refused'] += 1;
      else if (check.json.damaged.some(({ table }: { table: string }) => table !== 'database'))
        figures['entries refused'] += 1;
      else if (check.json.damaged.length > 0) figures['search refused'] += 1;
      else figures.unused += 1;
      if (outcomes.includes('not found')) t.ok(isOfFile, `page ${page + 1}: the check says so`);
      if (isOfFile) {
        const refused = await held.ask('PUT', '/v1/secrets/new', { body: { value: 'x' } });
        const says = /vault\.db is damaged, and nothing is written to it any more; save .* mav export/;
        t.match(refused, { status: 500, json: { code: 'integrity', error: says } });
        t.equal(held.events.filter((event) => event.startsWith('damaged: ')).length, 1, 'said once');
      }
      await held.close();
      t.same(hashDatabase(sandbox), before, `page ${page + 1}: nothing written`);
    }
    const count = (all: Outcome[], outcome: Outcome) => all.filter((each) => each === outcome).length;
    t.equal(count(read, 'WRONG') + count(rescued, 'WRONG'), 0, 'never a wrong value');
    t.comment(`figure: each of ${pages} pages ${what}: ${JSON.stringify(figures)}`);
    t.comment(
      `figure: of ${read.length} reads ${count(read, 'right')} right, ${count(read, 'not found')} not found, 0 wrong; ` +
        `by the export ${count(rescued, 'right')} right`,
    );
    t.ok(count(rescued, 'right') >= count(read, 'right'), 'the export saves as much, or more');
    t.ok(figures['not opened'] + figures['writes refused'] + figures['entries refused'] > 0);
  });
}

/** The leaves of this table or index. */
function findPages(path: string, name: string): number[] {
  const db = new Database(path, { readonly: true });
  try {
    return db
      .prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno")
      .pluck()
      .all(name) as number[];
  } finally {
    db.close();
  }
}

t.test(
  'serve > a page of secrets is damaged > goes on reading, writes no more, and the rest is exported',
  async (t) => {
    const sandbox = await createStopped(t);
    const [, page = 0] = findPages(sandbox.databasePath, 'secrets');
    overwrite(sandbox.databasePath, (page - 1) * PAGE_SIZE, Buffer.alloc(PAGE_SIZE, 0xa5));
    const before = hashDatabase(sandbox);
    const daemon = await startAgain(t, sandbox);
    const statuses: number[] = [];
    // With a token, whose last use would be stored.
    for (const name of NAMES) statuses.push((await daemon.ask('GET', `/v1/secrets/${name}?env=base`)).status);
    t.same([...new Set(statuses)].toSorted(), [200, 500]);
    const says = /vault\.db is damaged, and nothing is written to it any more/;
    t.match(await daemon.ask('PUT', '/v1/secrets/new', { body: { value: 'x' } }), {
      status: 500,
      json: { code: 'integrity', error: says },
    });
    t.match(await mav(sandbox, ['set', 'new'], { input: 'x' }), { code: 1, stderr: says });
    t.match(await mav(sandbox, ['key', 'rotate']), { code: 1, stderr: says });
    t.match((await mav(sandbox, ['doctor'])).stdout, /FAIL.*vault\.db is damaged/);
    const to = join(sandbox.folder, 'rescued');
    t.match(await mav(sandbox, ['export', '--skip-unreadable', '--to', to]), { code: 1, stderr: /left out/ });
    const { secrets } = JSON.parse(readFileSync(to, 'utf8'));
    const right = statuses.filter((status) => status === 200).length;
    t.equal(secrets.length, right);
    for (const { name, value } of secrets) t.equal(value, storedAt(name).value);
    const damaged = daemon.log().filter(({ event }) => event === 'damaged');
    t.match(damaged, [{ level: 40, detail: /SQLITE_CORRUPT; nothing is written to it any more/ }]);
    t.equal(damaged.length, 1, 'said once');
    t.equal((await daemon.stop()).code, 0);
    t.same(hashDatabase(sandbox), before, 'nothing written');
    t.comment(
      `figure: a page of secrets damaged: ${right} of ${NAMES.length} entries exported, none written`,
    );
  },
);

t.test('serve > a page is damaged while it runs > noticed by the check, no write after it', async (t) => {
  const sandbox = await createStopped(t);
  const daemon = await startAgain(t, sandbox);
  // Not of the fields: a value is handed out only with the whole of what its row digest covers, the fields included.
  const [, page = 0] = findPages(sandbox.databasePath, 'secrets');
  overwrite(sandbox.databasePath, (page - 1) * PAGE_SIZE, Buffer.alloc(PAGE_SIZE, 0xa5));
  const before = hashFile(sandbox.databasePath);
  const { damaged } = await checkVault(daemon);
  t.ok(damaged.some(({ problem }) => problem === 'unreadable'));
  t.equal((await daemon.ask('PUT', '/v1/secrets/new', { body: { value: 'x' } })).status, 500);
  const statuses: number[] = [];
  for (const name of NAMES) {
    statuses.push((await daemon.ask('GET', `/v1/secrets/${name}/value?env=base`)).status);
  }
  t.same([...new Set(statuses)].toSorted(), [200, 500], 'what is well is read');
  t.equal((await daemon.stop()).code, 0);
  t.equal(hashFile(sandbox.databasePath), before);
});
