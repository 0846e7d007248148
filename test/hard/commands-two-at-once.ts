/** What changes a whole vault, started twice at the same moment: one does it, the other one too or says why not, and nothing is lost. */
import t from 'tap';
import { mav, mavAlone } from '../fixtures/vault.ts';
import { COMMAND_NAMES, makeSubject } from '../fixtures/vault-changes.ts';

t.jobs = 2;
t.setTimeout(900_000);

for (const name of COMMAND_NAMES) {
  t.test(`${name} > two at once > done, and the other one says why not`, async (t) => {
    const { sandbox, args, findLoss, findMissing, after } = await makeSubject(t, name);
    const ran = await Promise.all([1, 2].map(() => mavAlone(sandbox, args)));
    const said = ran.map(({ code, stderr }) => `${code}: ${stderr}`).join('\n');
    t.ok(
      ran.some(({ code }) => code === 0),
      said,
    );
    t.notMatch(said, /failed to do this|SQLITE_|at file:/, 'what failed is said in words');
    t.equal(await findMissing(), null, said);
    t.equal(await findLoss(), null, said);
    t.match(await mav(sandbox, ['verify', ...after]), { code: 0 }, said);
  });
}
