/**
 * Attacks on the rows of tokens: somebody who may write vault.db, but has no key, exchanges their parts, flips their bits,
 * raises scopes and forges rows. No such row grants anything, and each is in the log.
 */
import { createHash, randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { ask } from '../fixtures/ask.ts';
import { type Attacked, chooseSome, flipBits, listBlobs, serveAttacked } from '../fixtures/attacked.ts';
import type { Daemon } from '../fixtures/daemon.ts';
import type { Row } from '../fixtures/stored.ts';

t.setTimeout(300_000);

interface Made {
  readonly token: string;
  readonly id: string;
}

/** What a token's row says of who may do what; `last_used_at` grants nothing. */
const TOKEN_COLUMNS = ['id', 'hash', 'name', 'scopes', 'created_at', 'expires_at', 'kek_id', 'mac'];
const SCOPES = ['read', 'write', 'generate', 'admin'];

interface AttackedTokens extends Attacked {
  readonly tokens: readonly Made[];
  readonly rows: readonly Row[];
  readonly count: { reloads: number; refused: number };
  /** Makes the table hold these rows; what grants more than nothing. */
  readonly attack: (rows: readonly Row[], tokens: readonly string[], what: string) => Promise<string[]>;
}

/** Tokens with a name, a scope and an expiry of their own each. */
async function serveTokens(t: Test, amount: number): Promise<AttackedTokens> {
  const attacked = await serveAttacked(t, []);
  const { daemon, file, ask } = attacked;
  const tokens: Made[] = [];
  for (let index = 0; index < amount; index++) {
    const more = { name: `token ${index}`, expires_in: `${index + 24}h` };
    tokens.push(await daemon.createToken(SCOPES.slice(index % 4, (index % 4) + 1), more));
  }
  const all = file.rows('tokens');
  const kept = all.filter(({ id }) => !tokens.some((token) => token.id === id));
  const rows = tokens.map((token) => all.find(({ id }) => id === token.id)!);
  const unknown = await askWith(daemon, `mvt_${randomBytes(32).toString('hex')}`);
  const count = { reloads: 0, refused: 0 };
  const attack: AttackedTokens['attack'] = async (changed, presented, what) => {
    file.write({ tokens: [...kept, ...changed] });
    await reload(ask);
    if (presented.length > 0) count.reloads += 1;
    const answers = await Promise.all(presented.map((token) => askWith(daemon, token)));
    count.refused += presented.length;
    const witness = await askWith(daemon, daemon.admin);
    if (witness.status !== 200) return [`${what}: an untouched token got ${witness.status}`];
    return answers.flatMap(({ status, text }, index) =>
      status === 401 && text === unknown.text ? [] : [`${what}: row ${index} got ${status}`],
    );
  };
  return { ...attacked, tokens, rows, count, attack };
}

const askWith = (daemon: Daemon, token: string) => ask(daemon.socket, 'GET', '/v1/info', { token });

/** The rows are read, and verified, when the vault is unsealed. */
async function reload(ask: Attacked['ask']): Promise<void> {
  const [sealed, unsealed] = [await ask('POST', '/v1/seal'), await ask('POST', '/v1/unseal')];
  if (sealed.status !== 200 || unsealed.status !== 200) throw new Error('the vault was not loaded again');
}

async function checkTokens(t: Test, attacked: AttackedTokens, attacks: number): Promise<void> {
  const { daemon, rows, tokens, count, attack, ask } = attacked;
  t.same(await attack(rows, [], 'all put back'), []);
  t.equal((await ask('GET', '/v1/tokens')).json.length, rows.length + 1);
  const { stdout, stderr } = await daemon.stop();
  const warnings = daemon.log().filter(({ event }) => event === 'warning');
  t.equal(warnings.length, count.reloads, 'every loading of changed rows is in the log');
  t.comment(
    `figure: ${attacks} changed token rows in ${count.reloads} loadings, ${count.refused} refused requests, ${warnings.length} warnings`,
  );
  t.notOk(
    tokens.some(({ token }) => (stdout + stderr).includes(token)),
    'no token is in the log',
  );
}

t.test('authenticate > any two token rows exchange any part, every ordered pair > 401, logged', async (t) => {
  const attacked = await serveTokens(t, 6);
  const { file, rows, tokens, attack } = attacked;
  const presented = tokens.map(({ token }) => token);
  const problems: string[] = [];
  let attacks = 0;
  const columns = TOKEN_COLUMNS.filter(
    (column) => new Set(rows.map((row) => String(row[column]))).size === rows.length,
  );
  // All of them at once would be a whole row under a name of its own: nothing is exchanged then.
  const parts = [...chooseSome(columns)];
  // All rows at once, since each is verified by itself; by every distance, so that each gets every other one's part.
  for (const part of parts) {
    for (let distance = 1; distance < rows.length; distance++) {
      const changed = rows.map((row, index) => {
        const other = rows[(index + distance) % rows.length]!;
        return { ...row, ...Object.fromEntries(part.map((column) => [column, other[column]])) };
      });
      problems.push(...(await attack(changed, presented, `${part}`)));
      attacks += changed.length;
    }
  }
  t.same(problems.slice(0, 20), []);
  t.comment(
    `figure: ${parts.length} parts of ${rows.length} token rows, ${rows.length * (rows.length - 1)} ordered pairs each`,
  );
  const blobs = [...listBlobs('secrets', file.rows('secrets')), ...listBlobs('keks', file.rows('keks'))];
  for (const { bytes } of [...blobs, ...listBlobs('tokens', rows)]) {
    const inMac = rows.filter((row) => !bytes.equals(row.mac)).map((row): Row => ({ ...row, mac: bytes }));
    const whose = inMac.map(({ id }) => tokens.find((token) => token.id === id)!.token);
    problems.push(...(await attack(inMac, whose, 'another blob as the MAC')));
    attacks += inMac.length;
  }
  t.same(problems.slice(0, 20), []);
  await checkTokens(t, attacked, attacks);
});

t.test('authenticate > any bit of a token row flipped > 401, logged', async (t) => {
  const attacked = await serveTokens(t, 8);
  const { rows, tokens, attack } = attacked;
  const problems: string[] = [];
  let attacks = 0;
  for (const column of TOKEN_COLUMNS) {
    // Each row has the next bit flipped: eight attacks a loading.
    const flips = rows.map((row) => [...flipBits(row[column])]);
    const bits = Math.max(...flips.map(({ length }) => length));
    for (let first = 0; first < bits; first += rows.length) {
      const changed = rows.flatMap((row, index) => {
        const value = flips[index]?.[first + index];
        return value === undefined ? [] : [{ index, row: { ...row, [column]: value } }];
      });
      const presented = changed.map(({ index }) => tokens[index]!.token);
      problems.push(
        ...(await attack(
          changed.map(({ row }) => row),
          presented,
          `${column} from bit ${first}`,
        )),
      );
      attacks += changed.length;
    }
  }
  t.same(problems.slice(0, 20), []);
  await checkTokens(t, attacked, attacks);
});

t.test('authenticate > scopes raised, rows forged > 401, logged by their ids', async (t) => {
  const attacked = await serveTokens(t, 8);
  const { daemon, rows, tokens, attack } = attacked;
  const presented = tokens.map(({ token }) => token);
  const raises = [...chooseSome(SCOPES), SCOPES, ['session'], [], ['read', 'read']].map((scopes) =>
    scopes.join(','),
  );
  const problems: string[] = [];
  let attacks = 0;
  for (const scopes of raises) {
    const raised = rows.filter((row) => row.scopes !== scopes).map((row): Row => ({ ...row, scopes }));
    const whose = raised.map(({ id }) => tokens.find((token) => token.id === id)!.token);
    problems.push(...(await attack(raised, whose, `scopes ${scopes}`)));
    attacks += raised.length;
  }
  const forgedTokens = rows.map(() => `mvt_${randomBytes(32).toString('hex')}`);
  const forged = rows.map((row, index) => ({
    ...row,
    id: randomBytes(8).toString('hex'),
    hash: createHash('sha256').update(forgedTokens[index]!).digest(),
    scopes: 'admin',
    mac: [row.mac, randomBytes(32), Buffer.alloc(32), Buffer.alloc(0)][index % 4],
  }));
  problems.push(...(await attack([...rows, ...forged], forgedTokens, 'forged')));
  attacks += forged.length;
  const warnings = () => daemon.log().filter(({ event }) => event === 'warning');
  t.ok(
    forged.every(({ id }) => warnings().some(({ detail }) => detail.includes(id))),
    'each forged row is named',
  );
  t.equal((await attack(rows, [], 'put back')).length, 0);
  const answers = await Promise.all(presented.map((token) => askWith(daemon, token)));
  t.same(
    answers.filter(({ status }) => status === 401),
    [],
    'what was issued is good again',
  );
  t.same(problems, []);
  await checkTokens(t, attacked, attacks);
});
