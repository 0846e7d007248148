/**
 * A program with all that it has started: a process group, or, if it shares ours, the processes that descend from it. By
 * what the kernel says of them, or `ps` where there is no /proc.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** It has ended, and nobody has asked for its exit code. */
  readonly isZombie: boolean;
}

const PROC = '/proc';

export class ProcessFamily {
  readonly #root: number;
  readonly #hasGroup: boolean;
  /** Those that were signalled, because one whose parent ends has another parent then. */
  #known: readonly number[] = [];

  /** `root`: process id of the program. `hasGroup`: whether it leads a process group of its own. */
  constructor(root: number, hasGroup: boolean) {
    this.#root = root;
    this.#hasGroup = hasGroup;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#hasGroup) return void kill(-this.#root, name);
    this.#known = this.#listAlive();
    for (const pid of this.#known) kill(pid, name);
  }

  /** Returns whether any of them has not ended yet. */
  isAlive(): boolean {
    return this.#listAlive().length > 0;
  }

  #listAlive(): number[] {
    const all = listProcesses().filter(({ isZombie }) => !isZombie);
    const known = new Set([this.#root, ...this.#known]);
    if (!this.#hasGroup) addDescendants(known, all);
    const isOurs = ({ pid, group }: Process) => (this.#hasGroup ? group === this.#root : known.has(pid));
    return all.filter(isOurs).map(({ pid }) => pid);
  }
}

function addDescendants(family: Set<number>, all: readonly Process[]): void {
  let before = 0;
  while (before < family.size) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
}

function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended, or became another user's.
  }
}

function listProcesses(): Process[] {
  try {
    return readdirSync(PROC)
      .filter((name) => /^[0-9]+$/.test(name))
      .flatMap((name) => readStat(name) ?? []);
  } catch {
    const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' }).split('\n');
    return lines.map((line) => toProcess(line.trim().split(/ +/)));
  }
}

/** proc_pid_stat(5). The second column, the name, may have spaces and parentheses. */
function readStat(pid: string): Process | null {
  try {
    const stat = readFileSync(`${PROC}/${pid}/stat`, 'latin1');
    const [state = '', parent = '', group = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return toProcess([pid, parent, group, state]);
  } catch {
    // It has ended meanwhile.
    return null;
  }
}

function toProcess([pid, parent, group, state = '']: readonly string[]): Process {
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    isZombie: state.startsWith('Z'),
  };
}
