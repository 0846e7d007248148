/**
 * A filter of system calls, seccomp(2). Under it a process opens only Unix sockets, does not reach into other processes,
 * types nothing into its terminal, and makes no call that this daemon never needs. The kernel applies it to every thread and
 * to native code, independently of Node.
 */

type MachineName = 'x64' | 'arm64';

/** linux/audit.h: how the kernel names an architecture whose system calls these are. */
const ARCHITECTURES: Readonly<Record<MachineName, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
/** The second set of numbers of x64 begins here. Other architectures have no numbers there. */
const SECOND_SET = 0x4000_0000;

/** The number of a call; one number where all machines share it; null: the machine has no such call. */
type Numbers = number | readonly [x64: number, arm64: number | null];

const SOCKET: Numbers = [41, 198];
const IOCTL: Numbers = [16, 29];
const PRCTL: Numbers = [157, 167];
const CLONE: Numbers = [56, 220];
const SENDTO: Numbers = [44, 206];
const PRLIMIT: Numbers = [302, 261];

/** Calls that are refused whatever their arguments are. */
const NEVER: Readonly<Record<string, Numbers>> = {
  // Other processes: their memory, their descriptors, what the kernel knows of them.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: 440,
  process_mrelease: 448,
  pidfd_getfd: 438,
  kcmp: [312, 272],
  perf_event_open: [298, 241],
  // The kernel's keyrings, which other programs of the user keep keys in.
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // Memory, queues and locks that processes share by a number or a name: Landlock does not know them.
  shmget: [29, 194],
  shmat: [30, 196],
  msgget: [68, 186],
  msgsnd: [69, 189],
  semget: [64, 190],
  mq_open: [240, 180],
  // Namespaces and mounts: another view of the files.
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  fspick: 433,
  mount_setattr: 442,
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  quotactl: [179, 60],
  quotactl_fd: 443,
  // Calls that attacks on the kernel use.
  bpf: [321, 280],
  userfaultfd: [323, 282],
  personality: [135, 92],
  modify_ldt: [154, null],
  execveat: [322, 281],
  // The machine.
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  iopl: [172, null],
  ioperm: [173, null],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  syslog: [103, 116],
  vhangup: [153, 58],
};

/** Calls that reach other sockets. The address that sendmsg is given lies in memory, where a filter cannot look. */
const REACH_OTHERS: Readonly<Record<string, Numbers>> = {
  socket: SOCKET,
  connect: [42, 203],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
};

/**
 * Calls that fail as if the kernel did not have them, so that libraries do without. io_uring makes calls that a filter does
 * not see. The flags of clone3 lie in memory, where a filter cannot look; glibc uses clone instead.
 */
const MISSING: Readonly<Record<string, Numbers>> = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  clone3: 435,
  pidfd_open: 434,
  pidfd_send_signal: 424,
};

/** Calls that change modes and owners of files by name. By a descriptor, only files that Landlock lets be opened change. */
const CHANGE_BY_NAME: Readonly<Record<string, Numbers>> = {
  chmod: [90, null],
  fchmodat: [268, 53],
  fchmodat2: 452,
  chown: [92, null],
  lchown: [94, null],
  fchownat: [260, 54],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  setxattrat: 463,
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  removexattrat: 466,
  utime: [132, null],
  utimes: [235, null],
  futimesat: [261, null],
  utimensat: [280, 88],
  file_setattr: 469,
};

const AF_UNIX = 1;
/** ioctl_tty(2). The first types into a terminal as if its user did; the second pastes on a console. */
const TERMINAL_INPUT = [0x5412, 0x541c];
/** prctl(2): which process may trace this one, and whether it is open to the same user. */
const PR_SET_DUMPABLE = 4;
const PR_SET_PTRACER = 0x5961_6d61;
/** clone(2): new namespaces of every kind. */
const NEW_NAMESPACES = 0x7e02_0000;

/** prlimit(2): the calling process's limits. */
const OWN_PROCESS = 0;

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** struct seccomp_data: number, architecture, instruction pointer, six arguments of 8 bytes, little-endian. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;
const SECOND_ARGUMENT_AT = 24;
/** sendto's address, both halves. */
const FIFTH_ARGUMENT_AT = [48, 52];

/** linux/bpf_common.h: what an instruction does. */
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;
/** linux/seccomp.h. */
const ALLOW = 0x7fff_0000;
const FAIL_WITH = 0x0005_0000;

type Instruction = readonly [code: number, value: number, ifTrue?: number, ifFalse?: number];

/** Returns the filter as the kernel takes it, 8 bytes an instruction; null for a machine that it is not written for. */
export function buildCallFilter(architecture: NodeJS.Architecture = process.arch): Uint8Array | null {
  if (!isKnown(architecture)) return null;
  const on = (numbers: Numbers) => numberOn(architecture, numbers);
  return encode([
    ...begin(architecture),
    ...refuseAll(architecture, MISSING, ENOSYS),
    ...refuseAll(architecture, NEVER, EPERM),
    ...judge(on(SOCKET), [
      [LOAD_WORD, FIRST_ARGUMENT_AT],
      [JUMP_IF_EQUAL, AF_UNIX, 1, 0],
      [RETURN, FAIL_WITH | EAFNOSUPPORT],
    ]),
    ...judge(on(IOCTL), [
      [LOAD_WORD, SECOND_ARGUMENT_AT],
      ...TERMINAL_INPUT.flatMap((request) => refuse(request, EPERM)),
    ]),
    ...judge(on(CLONE), [
      [LOAD_WORD, FIRST_ARGUMENT_AT],
      [JUMP_IF_ANY_BIT, NEW_NAMESPACES, 0, 1],
      [RETURN, FAIL_WITH | EPERM],
    ]),
    ...judge(on(PRLIMIT), [[LOAD_WORD, FIRST_ARGUMENT_AT], ...refuseUnless(OWN_PROCESS)]),
    ...judge(on(PRCTL), [
      [LOAD_WORD, FIRST_ARGUMENT_AT],
      ...refuse(PR_SET_PTRACER, EPERM),
      [JUMP_IF_EQUAL, PR_SET_DUMPABLE, 0, 3],
      [LOAD_WORD, SECOND_ARGUMENT_AT],
      ...refuseUnless(0),
    ]),
    [RETURN, ALLOW],
  ]);
}

/**
 * Returns a second filter, for a process that listens. It refuses to change modes and owners of files by name, which Landlock
 * does not govern. Where `mayConnect` is false, it also refuses to make sockets, to connect, and to send to an address.
 */
export function buildListeningFilter(
  mayConnect: boolean,
  architecture: NodeJS.Architecture = process.arch,
): Uint8Array | null {
  if (!isKnown(architecture)) return null;
  const toAnAddress = FIFTH_ARGUMENT_AT.flatMap((half): Instruction[] => [
    [LOAD_WORD, half],
    ...refuseUnless(0),
  ]);
  const reach = [
    ...refuseAll(architecture, REACH_OTHERS, EPERM),
    ...judge(numberOn(architecture, SENDTO), toAnAddress),
  ];
  return encode([
    ...begin(architecture),
    ...refuseAll(architecture, CHANGE_BY_NAME, EPERM),
    ...(mayConnect ? [] : reach),
    [RETURN, ALLOW],
  ]);
}

function isKnown(architecture: NodeJS.Architecture): architecture is MachineName {
  return Object.hasOwn(ARCHITECTURES, architecture);
}

function numberOn(machine: MachineName, numbers: Numbers): number | null {
  return typeof numbers === 'number' ? numbers : numbers[machine === 'x64' ? 0 : 1];
}

/** Refuses calls of another architecture, which have other numbers. Leaves the call's number loaded. */
function begin(machine: MachineName): Instruction[] {
  return [
    [LOAD_WORD, ARCHITECTURE_AT],
    [JUMP_IF_EQUAL, ARCHITECTURES[machine], 1, 0],
    [RETURN, FAIL_WITH | EPERM],
    [LOAD_WORD, NUMBER_AT],
    [JUMP_IF_AT_LEAST, SECOND_SET, 0, 1],
    [RETURN, FAIL_WITH | EPERM],
  ];
}

function refuseAll(
  machine: MachineName,
  calls: Readonly<Record<string, Numbers>>,
  errno: number,
): Instruction[] {
  return Object.values(calls).flatMap((numbers) => refuse(numberOn(machine, numbers), errno));
}

/** Makes the call fail if the loaded number is this value; null: it never is on this machine. */
function refuse(value: number | null, errno: number): Instruction[] {
  if (value === null) return [];
  return [
    [JUMP_IF_EQUAL, value, 0, 1],
    [RETURN, FAIL_WITH | errno],
  ];
}

/** Makes the call fail if the loaded number is another value. */
function refuseUnless(value: number): Instruction[] {
  return [
    [JUMP_IF_EQUAL, value, 1, 0],
    [RETURN, FAIL_WITH | EPERM],
  ];
}

/** Allows this call unless these instructions refuse it. */
function judge(number: number | null, instructions: readonly Instruction[]): Instruction[] {
  if (number === null) return [];
  return [[JUMP_IF_EQUAL, number, 0, instructions.length + 1], ...instructions, [RETURN, ALLOW]];
}

/** struct sock_filter: code 2 bytes, the two jumps 1 byte each, value 4 bytes. */
function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(8 * instructions.length);
  for (const [index, [code, value, ifTrue = 0, ifFalse = 0]] of instructions.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value >>> 0, 8 * index + 4);
  }
  return bytes;
}
