/**
 * The descriptors that this process was started with, besides the standard ones. Node marks those from 3 to 16, and what
 * follows them without a gap, to be closed when another program is executed, and opens its own among them. Which are its
 * own follows from what they are: asked before the program opens anything itself.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { holdsFolderBy } from '../../system/working-folder.ts';
import { locateFront } from './front.ts';

export interface Descriptor {
  readonly number: number;
  /** The file, socket or pipe that it refers to, as /proc shows it. */
  readonly target: string;
  /** It is closed when another program is executed. */
  readonly closesOnExec: boolean;
}

interface Found extends Descriptor {
  /** The flags of open(2). */
  readonly flags: number;
}

const FOLDER = '/proc/self/fd';
/** open(2), on every processor that Node runs on but MIPS. */
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const EVENT_POLL = 'anon_inode:[eventpoll]';
/** Each event loop of Node has one of each of these. Hardly any program hands such descriptors on. */
const OF_EVENT_LOOPS: readonly string[] = [EVENT_POLL, 'anon_inode:[io_uring]', 'anon_inode:[eventfd]'];

/** Returns them in ascending order; an empty list where the system does not show descriptors. */
export function findInherited(): Descriptor[] {
  const all = readDescriptors();
  // Node opens this one first, so it has the lowest number that was free.
  const first = all.find(({ target }) => target === EVENT_POLL)?.number ?? 0;
  const later = all.filter(({ number }) => number >= first);
  // The shell that reads the program's first lines leaves it open where 3 to 9 are taken.
  const script = findScript();
  const own = new Set([
    ...later.filter(({ target }) => OF_EVENT_LOOPS.includes(target)),
    ...findOwnPipes(later),
    ...all.filter(({ target }) => target === script),
  ]);
  return all.filter((one) => !own.has(one) && !holdsFolderBy(one.number));
}

function findScript(): string | null {
  try {
    return locateFront(process.argv[1] ?? '');
  } catch {
    return null;
  }
}

/** Whether the descriptor is still the same, and would be closed on exec. */
export function isStillClosing({ number, target }: Descriptor): boolean {
  const now = readDescriptor(number);
  return now !== null && now.target === target && now.closesOnExec;
}

function readDescriptors(): Found[] {
  try {
    const numbers = readdirSync(FOLDER).map(Number);
    return numbers
      .filter((number) => number > 2)
      .sort((one, other) => one - other)
      .flatMap((number) => readDescriptor(number) ?? []);
  } catch {
    return [];
  }
}

/** Returns null for a closed descriptor, as that of the listing itself is by now. */
function readDescriptor(number: number): Found | null {
  try {
    const target = readlinkSync(`${FOLDER}/${number}`);
    const info = readFileSync(`/proc/self/fdinfo/${number}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s+([0-7]+)/m.exec(info)?.[1] ?? '0', 8);
    return { number, target, flags, closesOnExec: (flags & O_CLOEXEC) !== 0 };
  } catch {
    return null;
  }
}

/**
 * Node has both ends of its pipes: of one for each event loop, which does not block, and of one that does. A jobserver's
 * is such a pair too: of several that block Node's is the youngest.
 */
function findOwnPipes(candidates: readonly Found[]): Found[] {
  const pipes = candidates.filter(({ target, closesOnExec }) => target.startsWith('pipe:') && closesOnExec);
  const pairs = Map.groupBy(pipes, ({ target }) => target);
  const whole = [...pairs.values()].filter((ends) => ends.length === 2);
  const isBlocking = (ends: readonly Found[]) => ends.every(({ flags }) => (flags & O_NONBLOCK) === 0);
  const loops = whole.filter((ends) => ends.every(({ flags }) => (flags & O_NONBLOCK) !== 0));
  const [youngest = []] = whole.filter(isBlocking).sort(compareAges);
  return [...loops.flat(), ...youngest];
}

/**
 * Sorts the younger pipe first. The kernel's clock for such times has steps of up to 10 ms: of two with the same time the
 * one with the higher numbers is taken for the younger, since a parent has its pipe before Node takes what is still free.
 */
function compareAges(one: readonly Found[], other: readonly Found[]): number {
  return measureAge(one) - measureAge(other) || (other[0]?.number ?? 0) - (one[0]?.number ?? 0);
}

/** Smaller means younger. A pipe's times say when it was made, or last read and written. */
function measureAge([end]: readonly Found[]): number {
  const { atimeMs, mtimeMs } = statSync(`${FOLDER}/${end?.number}`);
  return -Math.min(atimeMs, mtimeMs);
}
