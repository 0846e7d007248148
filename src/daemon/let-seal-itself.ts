/** Lets a daemon's vault seal itself by its rules. */
import type { Call } from '../../workers/messages.ts';
import type { HeldVault } from './held-vault.ts';
import { type SealingRules, SelfSealing } from './self-sealing.ts';
import { SessionWatcher } from './session/session-watcher.ts';
import type { Report } from './vault-state.ts';

/** Starts to listen to the machine and the desktop, if the rules need it. Returns how to end it. */
export function letSealItself(
  vault: HeldVault,
  rules: SealingRules,
  env: NodeJS.ProcessEnv,
  report: Report,
): () => void {
  const sealing = new SelfSealing(rules, {
    findSealed: () => vault.sealedBecause,
    isBusy: () => Object.keys(vault.longWork).length > 0,
    seal: (because, rule) => vault.seal(ownCall('vault.seal', rule), because),
    unseal: () => vault.run('control', ownCall('vault.unseal', 'auto_unseal')),
  });
  vault.selfSealing = sealing;
  if (rules.on.length === 0) return () => sealing.end();
  const watcher = SessionWatcher.start(env, {
    wanted: rules.on,
    hear: (event) => sealing.hear(event),
    report,
  });
  vault.sessionWatcher = watcher;
  return () => {
    watcher.end();
    sealing.end();
  };
}

/** `purpose`: which setting is the reason, for the audit log. */
function ownCall(operation: 'vault.seal' | 'vault.unseal', purpose: string): Call {
  return { operation, params: {}, body: null, mayReplace: false, purpose };
}
