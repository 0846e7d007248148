/** Export and check over the API: whole vaults, page by page, and what was changed is found. */
import t from 'tap';
import { isError } from './fixtures/answers.ts';
import { type Entry, get, importInto, MIB, open } from './fixtures/api-transfer.ts';
import { startDaemon } from './fixtures/daemon.ts';
import type { AskHeld } from './fixtures/held.ts';
import { CANARY, createAttackedVault, REFUSAL, secretPath } from './fixtures/tampered.ts';

const daemon = await startDaemon(t);

/** Every page of an export, the first one at `target`. */
async function exportPages(ask: AskHeld, target: string): Promise<Entry[][]> {
  const pages: Entry[][] = [];
  for (let next: string | undefined = target; next !== undefined; ) {
    const { status, headers, json, text } = await ask('GET', next);
    if (status !== 200) throw new Error(text);
    pages.push(json);
    next = /^<([^>]+)>; rel="next"$/.exec(headers.link ?? '')?.[1];
  }
  return pages;
}

t.test(
  'secrets.export > values, fields, bytes, every script > what secrets.get answers of each',
  async (t) => {
    const { ask } = await createAttackedVault(t);
    const bytes = Buffer.from([0, 0xff, 0x0a]).toString('base64');
    await ask('PUT', secretPath('bytes', ''), { body: { value: bytes, encoding: 'base64' } });
    const listed: Entry[] = (await ask('GET', '/v1/secrets')).json;
    const answers = await Promise.all(listed.map(({ name, environment }) => get(ask, name, environment)));
    const exported = await ask('GET', '/v1/export');
    t.equal(exported.text, `[${answers.map(({ text }) => text).join(',')}]`);
    t.equal(exported.headers.link, undefined, 'one page');
    const [paged, prod, base] = await Promise.all(
      ['limit=2', 'env=prod&limit=1', 'env='].map((query) => exportPages(ask, `/v1/export?${query}`)),
    );
    t.strictSame(paged?.flat(), exported.json, 'the same in pages');
    t.ok(paged?.slice(0, -1).every((page) => page.length === 2));
    const inEnvironment = (wanted: string) =>
      exported.json.filter(({ environment }: Entry) => environment === wanted);
    t.strictSame(prod?.flat(), inEnvironment('prod'));
    t.strictSame(base?.flat(), inEnvironment(''));
  },
);

t.test('secrets.export > large values > a page ends beyond 4 MiB, and has one entry at least', async (t) => {
  const { ask } = await open(t);
  t.strictSame(await exportPages(ask, '/v1/export'), [[]], 'an empty vault');
  const sized = (name: string, size: number) => ({ name, value: name.repeat(size / name.length) });
  const entries = [
    ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => sized(name, MIB)),
    sized('h', 5 * MIB),
    sized('i', 1),
    sized('j', 5 * MIB),
  ];
  t.equal((await importInto(ask, entries)).status, 200);
  const pages = await exportPages(ask, '/v1/export');
  t.strictSame(
    pages.map((page) => page.map(({ name }) => name).join('')),
    ['abcd', 'efgh', 'ij'],
  );
  t.ok(pages.flat().every(({ name, value }) => value === entries.find((e) => e.name === name)?.value));
});

t.test('secrets.export > a limit or cursor that is none > 400', async (t) => {
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'cursor=x', 'metadata_key=a', 'env=%00']) {
    isError(t, await daemon.ask('GET', `/v1/export?${query}`), 400, query);
  }
});

t.test(
  'secrets.export > a row or a field was changed > an error in its place, named in the log',
  async (t) => {
    const { ask, file, rows, events, restore } = await createAttackedVault(t);
    const before: Entry[] = (await ask('GET', '/v1/export')).json;
    for (const { table, row } of rows) {
      const changed = { ...row, updated_at: row.updated_at + 1 };
      file.replace([{ table, row }], [{ table, row: changed }]);
      const owner = table === 'secrets' ? row : file.rows('secrets').find(({ id }) => id === row.secret_id)!;
      const { name, environment } = owner as unknown as Entry;
      const refused = { name, environment, ...JSON.parse(REFUSAL) };
      const wanted = before.map((entry) =>
        entry.name === name && entry.environment === environment ? refused : entry,
      );
      events.length = 0;
      const { status, json } = await ask('GET', '/v1/export');
      t.equal(status, 200);
      t.strictSame(json, wanted, `${name} in ${environment}`);
      t.match(events, [`warning: export: entries that fail verification`]);
      t.ok(events[0]?.includes(JSON.stringify([name, environment])), 'the log names it');
      t.notMatch(events.join(), CANARY);
      restore();
    }
  },
);
