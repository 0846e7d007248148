/**
 * `mav __complete SHELL WORD…`: what the completion scripts ask. One candidate a line, a tab and its description behind
 * it; a line that starts with the tab asks the shell for names of files. Errors are not shown.
 */
import { isShownAsItIs } from '../../text/escape-controls.ts';
import type { Context } from '../run/context.ts';
import { EXIT, type ExitCode } from '../run/failure.ts';
import { findCandidates } from './lookup.ts';
import { type Candidate, type Plan, planCompletion } from './plan.ts';
import { quoteForBash, quoteForPowerShell, splitLine } from './shell-words.ts';

const FILES = '\tfiles';

export async function answerCompletion(argv: readonly string[], { env, print }: Context): Promise<ExitCode> {
  const { before, current, show } = readQuestion(argv);
  const plan = planCompletion(before, current);
  const candidates = [...plan.candidates, ...(await askVault(plan, env))];
  for (const candidate of candidates) {
    const line = show(candidate);
    // The shell shows it on the terminal, and may put it on the command line.
    if (line !== null && isShownAsItIs(line)) print(line);
  }
  if (plan.files) print(FILES);
  return EXIT.done;
}

async function askVault(plan: Plan, env: NodeJS.ProcessEnv): Promise<Candidate[]> {
  if (plan.lookup === null) return [];
  const found = await findCandidates(plan.lookup, plan, env);
  return found.map(({ value, description }) => ({ value: plan.prefix + value, description }));
}

interface Question {
  readonly before: readonly string[];
  readonly current: string;
  /** Returns the line of a candidate, or null if it does not begin with the word. */
  readonly show: (candidate: Candidate) => string | null;
}

/** zsh and fish choose and quote candidates themselves. For the other shells it is done here. */
function readQuestion([shell, ...words]: readonly string[]): Question {
  if (shell === 'bash') return readBashLine(words);
  const before = words.slice(0, -1);
  if (shell !== 'powershell') return { before, current: words.at(-1) ?? '', show: formatCandidate };
  // PowerShell drops empty words, so its script puts a dot before the last one.
  const current = words.at(-1)?.slice(1) ?? '';
  return { before, current, show: showMatching(current, quoteForPowerShell, formatCandidate) };
}

/** bash tells a line and where readline breaks words: its own array of words is broken at each of those. */
function readBashLine([line = '', wordBreaks = '']: readonly string[]): Question {
  const all = splitLine(line, wordBreaks);
  // `MAV_ENV=prod mav get`: variables may be set before the program.
  const words = all.slice(all.findIndex(({ value }) => !/^\w+=/.test(value)) + 1);
  const last = words.at(-1) ?? { raw: '', value: '', quote: '', fixed: { raw: 0, value: 0 } };
  const before = words.slice(0, -1).map(({ value }) => value);
  return {
    before,
    current: last.value,
    show: showMatching(
      last.value,
      (value) => quoteForBash(value, last),
      ({ value }) => value,
    ),
  };
}

function showMatching(
  current: string,
  quote: (value: string) => string,
  format: (candidate: Candidate) => string,
): Question['show'] {
  return ({ value, description }) =>
    value.startsWith(current) ? format({ value: quote(value), description }) : null;
}

function formatCandidate({ value, description }: Candidate): string {
  return description === '' ? value : `${value}\t${description}`;
}
