/** Says in words what a request asks for, for the owner to decide. */
import { readlinkSync } from 'node:fs';
import type { Approval } from '../../client/types.ts';
import { escapeControls } from '../../text/escape-controls.ts';
import { describeSecret } from '../formats/describe-secret.ts';

/** Secrets that a question names one by one. */
const MAX_NAMED = 20;

/** Returns the lines of a question, without the words that ask. Nothing in them moves the cursor or turns text around. */
export function describeApproval(approval: Approval, maxNamed = MAX_NAMED): string[] {
  const { purpose, secrets } = approval;
  const named = secrets.slice(0, maxNamed).map((secret) => {
    const { name, environment, field, confirm } = secret;
    const holds = confirm === 'session' ? ' (until the vault is sealed)' : '';
    return `  ${describeSecret(name, environment, field)}${holds}`;
  });
  const left = secrets.length - named.length;
  return [
    `${describeAsker(approval)} wants to read:`,
    ...named,
    ...(left > 0 ? [`  and ${left} more`] : []),
    ...(purpose === undefined ? [] : [`It says: ${escapeControls(purpose)}`]),
  ];
}

function describeAsker({ principal: { id, name }, pid, program }: Approval): string {
  const who = id === 'session' ? 'Your own session' : `The token ${escapeControls(name)} (${id})`;
  if (pid === undefined || pid === null) return who;
  const path = findProgramPath(pid);
  const called = path ?? program;
  return `${who}, process ${pid}${called ? `, ${escapeControls(called)}` : ''},`;
}

/** Returns the path of the program that a process runs, which it cannot choose; null where the kernel does not say. */
function findProgramPath(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return null;
  }
}
