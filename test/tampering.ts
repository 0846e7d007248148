/**
 * Attacks on the file: somebody who may write vault.db, but has no key, changes it while the vault is open. Whatever
 * was changed is refused, with one uniform answer; nothing else suffers; and no write makes the change good.
 */
import t from 'tap';
import type { AskHeld } from './fixtures/held.ts';
import type { Located, Row } from './fixtures/stored.ts';
import {
  CANARY,
  createAttackedVault,
  findAnswered,
  REFUSAL,
  readersOf,
  secretPath,
  WITNESS,
} from './fixtures/tampered.ts';

const vault = await createAttackedVault(t);
const { ask, file, restore, rows, older } = vault;
const witness = (await ask('GET', WITNESS)).text;
const place = (name: string, environment = '') => secretPath(name, environment);

/** What an attack on other rows must leave alone. */
async function findCollateral(what: string): Promise<string[]> {
  const [list, read] = await Promise.all([ask('GET', '/v1/secrets'), ask('GET', WITNESS)]);
  const problems: string[] = [];
  if (list.status !== 200) problems.push(`${what}: the list answered ${list.status}`);
  if (list.text.includes(CANARY)) problems.push(`${what}: the list shows a value`);
  if (read.text !== witness) problems.push(`${what}: another secret answered ${read.status}`);
  return problems;
}

/** A row with some columns changed, stored in its place; answers where it is read now. */
function change(located: Located, changes: Row): string[] {
  const changed = { ...located, row: { ...located.row, ...changes } };
  file.replace([located], [changed]);
  return readersOf(file, changed);
}

function find(name: string, field?: string): Located {
  const id = rows().find(({ row }) => row.name === name)!.row.id;
  return rows().find(({ table, row }) => (field === undefined ? table === 'secrets' && row.id === id : row.secret_id === id && row.field === field))!;
}

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 1 << (at % 8);
  return flipped;
}

/** Every single change of a blob: a bit of each byte, each shorter length, one byte more; undefined past the last. */
const DAMAGES = {
  'one bit flipped in byte': (blob: Buffer, at: number) => (at < blob.length ? flip(blob, at) : undefined),
  'cut to the length': (blob: Buffer, at: number) => (at < blob.length ? blob.subarray(0, at) : undefined),
  'one byte appended, of value': (blob: Buffer, at: number) => (at < 2 ? Buffer.concat([blob, Buffer.from([at])]) : undefined),
};

for (const [what, damage] of Object.entries(DAMAGES)) {
  for (const column of ['wrapped_dek', 'payload']) {
    t.test(`read > ${column} with ${what} n, for every n, in every row > integrity`, async (t) => {
      const problems: string[] = [];
      let changes = 0;
      for (let at = 0; ; at++) {
        // All rows at once: a secret's and a field's own read looks at no other row.
        const damaged = rows().flatMap(({ table, row }) => {
          const blob = row[column] === null ? undefined : damage(row[column], at);
          return blob === undefined ? [] : [{ table, row: { ...row, [column]: blob } }];
        });
        if (damaged.length === 0) break;
        file.replace(damaged, damaged);
        const targets = damaged.map((located) => readersOf(file, located)[0]!);
        const lone = damaged.every(({ table }) => table === 'fields');
        problems.push(...(await findAnswered(ask, lone ? targets : targets, `${what} ${at}`)));
        changes += damaged.length;
        const touched = rows().filter(({ table, row }) => damaged.some((one) => one.table === table && one.row.id === row.id));
        file.replace(touched, touched);
      }
      t.same(problems, [], `${changes} changes`);
      t.ok(changes >= 2 * rows().length - 1);
      t.same(await findCollateral(what), []);
      restore();
    });
  }
}
