/**
 * Landlock, landlock(7): the kernel lets this process, and all that it becomes or starts, reach only the files that it was
 * given, even if the user may reach more. It needs no rights, cannot be taken back, and binds every thread and native code.
 * As far as the kernel knows these rules, it also denies the memory of other processes, TCP, abstract Unix sockets and
 * signals to other processes.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Libc } from './libc.ts';

/** The same numbers on every architecture. */
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;
/** linux/landlock.h. */
const ASK_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const O_PATH = 0x20_0000;

/** Rights over files, bit by bit as in linux/landlock.h. */
const EXECUTE = 1 << 0;
const WRITE_FILE = 1 << 1;
const READ_FILE = 1 << 2;
const READ_DIR = 1 << 3;
const TRUNCATE = 1 << 14;
const IOCTL_DEV = 1 << 15;
/** REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, _DIR, _REG, _SOCK, _FIFO, _BLOCK and _SYM, and REFER: rename between folders. */
const MAKE_AND_REMOVE = 0x3ff0;
const ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
/** Devices are never made, and a link to elsewhere would lead nowhere. */
const MAKE_DEVICES = (1 << 6) | (1 << 11);

/** The rights over files of each version (ABI) of Landlock. A newer kernel has at least the last of these. */
const KNOWN_RIGHTS = [0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff] as const;
/** The first versions that know TCP (bind and connect), and abstract sockets and signals outside of the fence. */
const TCP_VERSION = 4;
const TCP = 0b11n;
const SCOPE_VERSION = 6;
const ABSTRACT_SOCKETS = 0b01n;
const SIGNALS = 0b10n;

/** Paths of files, and of folders with everything in them. Missing ones are left out. */
export interface Fence {
  readonly read: readonly string[];
  /** Folders whose files may be read, but which may not be listed. */
  readonly unlisted: readonly string[];
  /** Also read. */
  readonly run: readonly string[];
  /** Also read, made and removed. */
  readonly write: readonly string[];
  /** Devices, read and written. */
  readonly devices: readonly string[];
  /** Whether sockets with abstract names, of processes outside, are left open. */
  readonly needsAbstractSockets: boolean;
}

/** Returns the version of Landlock in this kernel; 0 if it has none, or it is not in use. */
export function findVersion(libc: Libc): number {
  return Math.max(0, libc.call(CREATE_RULESET, 0n, 0n, BigInt(ASK_VERSION)));
}

/** Puts the calling thread, and all that it becomes or starts, behind the fence. Returns whether the kernel did. */
export function putBehind(libc: Libc, fence: Fence): boolean {
  const version = findVersion(libc);
  if (version < 1) return false;
  const known = KNOWN_RIGHTS[Math.min(version, KNOWN_RIGHTS.length) - 1] ?? 0;
  const ruleset = createRuleset(libc, version, known, fence);
  if (ruleset < 0) return false;
  const allow = (paths: readonly string[], rights: number) => {
    for (const path of paths) addRule(libc, ruleset, path, rights & known);
  };
  allow(fence.read, READ_FILE | READ_DIR);
  allow(fence.unlisted, READ_FILE);
  allow(fence.run, READ_FILE | READ_DIR | EXECUTE);
  allow(fence.write, READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | (MAKE_AND_REMOVE & ~MAKE_DEVICES));
  allow(fence.devices, READ_FILE | WRITE_FILE | IOCTL_DEV);
  libc.forbidNewPrivileges();
  const isOn = libc.call(RESTRICT_SELF, BigInt(ruleset), 0n) === 0;
  closeSync(ruleset);
  return isOn;
}

/** struct landlock_ruleset_attr: rights over files, over TCP, and what is kept inside, 8 bytes each. */
function createRuleset(libc: Libc, version: number, known: number, { needsAbstractSockets }: Fence): number {
  const scoped = needsAbstractSockets ? SIGNALS : SIGNALS | ABSTRACT_SOCKETS;
  const words = [BigInt(known)];
  if (version >= TCP_VERSION) words.push(TCP);
  if (version >= SCOPE_VERSION) words.push(scoped);
  const bytes = new Uint8Array(new BigUint64Array(words).buffer);
  return libc.callWith(bytes, (address) => [CREATE_RULESET, address, BigInt(bytes.length), 0n]);
}

/** struct landlock_path_beneath_attr, packed: rights 8 bytes, descriptor 4. */
function addRule(libc: Libc, ruleset: number, path: string, rights: number): void {
  const descriptor = openPath(path);
  if (descriptor === null) return;
  try {
    const isFolder = fstatSync(descriptor).isDirectory();
    const attribute = new DataView(new ArrayBuffer(12));
    attribute.setBigUint64(0, BigInt(isFolder ? rights : rights & ON_FILES), true);
    attribute.setInt32(8, descriptor, true);
    libc.callWith(new Uint8Array(attribute.buffer), (address) => [
      ADD_RULE,
      BigInt(ruleset),
      BigInt(RULE_PATH_BENEATH),
      address,
    ]);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file only to name it, which takes no right to read it. */
function openPath(path: string): number | null {
  try {
    return openSync(path, O_PATH | constants.O_RDONLY);
  } catch {
    return null;
  }
}
