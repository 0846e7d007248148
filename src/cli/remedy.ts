/** What to do about a sealed vault where no daemon runs: the vault's own remedies end in `mav unseal`, which needs one. */

const REMEDIES: readonly (readonly [ending: RegExp, instead: string])[] = [
  [/(?<=needs its passphrase; )run: mav unseal$/, 'give --passphrase-file, or start its daemon: mav serve'],
  [/, then(?: run)?: mav unseal$/, ', then try again'],
  [/; run: mav unseal$/, '; try again'],
];

/** The message with a remedy that works without a daemon. */
export function adviseWithoutDaemon(message: string): string {
  return REMEDIES.reduce((text, [ending, instead]) => text.replace(ending, instead), message);
}
