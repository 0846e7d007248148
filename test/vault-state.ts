/** The request thread's view of whether the vault is sealed, with a writer whose answers come in an order chosen here. */
import t from 'tap';
import type { CallResult } from '../src/call-result.ts';
import { VaultState } from '../src/daemon/vault-state.ts';
import type { Call } from '../workers/messages.ts';

const OK = { ok: true } as CallResult;
const NO_KEYS = { ok: false, code: 'sealed', reason: 'sealed', message: 'the vault is sealed' } as CallResult;
const call = (operation: Call['operation']): Call => ({
  operation,
  params: {},
  body: null,
  mayReplace: false,
});

t.test(
  'resume > somebody unseals while it seals > resumed again, never unsealed without its tokens',
  async (t) => {
    const asked: string[] = [];
    const resumes = [NO_KEYS, OK];
    const sealing = Promise.withResolvers<void>();
    let knowsTokens = true;
    const state = new VaultState({
      control: async ({ operation }) => {
        asked.push(operation);
        if (operation === 'vault.resume') return resumes.shift() ?? NO_KEYS;
        if (operation === 'vault.seal') await sealing.promise;
        return Object.assign({ ...OK }, { from: operation });
      },
      report: () => {},
      apply: (answered) => {
        const from = (answered as { from?: string }).from;
        if (answered.ok) knowsTokens = from !== 'vault.seal';
      },
      replaceThreads: async () => true,
    });
    await state.unseal(call('vault.unseal'));
    const resuming = state.resume();
    while (!asked.includes('vault.seal')) await new Promise(setImmediate);
    await state.unseal(call('vault.unseal'));
    t.equal(state.sealedBecause, null);
    sealing.resolve();
    await resuming;
    t.same(asked, ['vault.unseal', 'vault.resume', 'vault.seal', 'vault.unseal', 'vault.resume']);
    t.equal(state.sealedBecause, null);
    t.ok(knowsTokens, 'unsealed, with its tokens');
  },
);
