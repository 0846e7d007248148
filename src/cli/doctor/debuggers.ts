/**
 * What the kernel's Yama setting says about debuggers of the same user. The daemon closes itself, but is open for the
 * milliseconds in which Node starts; who opened its memory then can go on reading it (docs/security.md).
 */
import { readFileSync } from 'node:fs';
import { type Finding, ok } from './finding.ts';

const SETTING = '/proc/sys/kernel/yama/ptrace_scope';

const MEANINGS: Readonly<Record<string, string>> = {
  '1': 'a program can attach only to what it has started (kernel.yama.ptrace_scope is 1)',
  '2': 'only root can attach to other programs (kernel.yama.ptrace_scope is 2)',
  '3': 'nobody can attach to other programs (kernel.yama.ptrace_scope is 3)',
};

export function checkDebuggers(): Finding[] {
  return [
    process.platform === 'linux' ? judgeScope(readScope()) : ok('debuggers', 'not known on this system'),
  ];
}

/** `scope`: what the setting says; null where there is none. */
export function judgeScope(scope: string | null): Finding {
  const meaning = scope === null ? undefined : MEANINGS[scope];
  if (meaning !== undefined) return ok('debuggers', meaning);
  const why = scope === null ? 'the kernel has no Yama' : `kernel.yama.ptrace_scope is ${scope}`;
  return ok(
    'debuggers',
    `your programs can attach to each other (${why}): to mav serve for as long as Node takes to start`,
  );
}

function readScope(): string | null {
  try {
    return readFileSync(SETTING, 'utf8').trim();
  } catch {
    return null;
  }
}
