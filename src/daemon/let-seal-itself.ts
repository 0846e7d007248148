/** Lets a daemon's vault seal itself by its rules. */
import type { Call } from '../../workers/messages.ts';
import type { HeldVault } from './held-vault.ts';
import { type SealingRules, SelfSealing } from './self-sealing.ts';
import { SessionEvents } from './session-events.ts';
import type { Report } from './vault-state.ts';

/** Connects to the message buses, if the rules need them. Returns how to end it. */
export async function letSealItself(
  vault: HeldVault,
  rules: SealingRules,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<() => void> {
  const sealing = new SelfSealing(rules, {
    findSealed: () => vault.sealedBecause,
    isBusy: () => Object.keys(vault.longWork).length > 0,
    seal: (because, rule) => vault.seal(ownCall('vault.seal', rule), because),
    unseal: () => vault.run('control', ownCall('vault.unseal', 'auto_unseal')),
  });
  vault.selfSealing = sealing;
  if (rules.on.length === 0) return () => sealing.end();
  const events = await SessionEvents.connect(env, {
    wanted: rules.on,
    tell: (event) => sealing.hear(event),
    report,
  });
  return () => {
    events.close();
    sealing.end();
  };
}

/** `purpose`: which setting is the reason, for the audit log. */
function ownCall(operation: 'vault.seal' | 'vault.unseal', purpose: string): Call {
  return { operation, params: {}, body: null, mayReplace: false, purpose };
}
