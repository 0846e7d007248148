/**
 * A filter of system calls, seccomp(2), under which a process opens sockets of the Unix kind only and does not reach
 * into other processes. The kernel applies it to every thread and to native code, whatever Node thinks of either.
 */

/** linux/audit.h: how the kernel names an architecture whose system calls these are. */
const MACHINES: Readonly<Partial<Record<NodeJS.Architecture, Machine>>> = {
  x64: {
    name: 0xc000_003e,
    socket: 41,
    others: { ptrace: 101, process_vm_readv: 310, process_vm_writev: 311 },
  },
  arm64: {
    name: 0xc000_00b7,
    socket: 198,
    others: { ptrace: 117, process_vm_readv: 270, process_vm_writev: 271 },
  },
};

interface Machine {
  readonly name: number;
  readonly socket: number;
  readonly others: Readonly<Record<string, number>>;
}

/** The same everywhere. io_uring opens sockets without the call of that name. */
const IO_URING_SETUP = 425;
const PIDFD_GETFD = 438;
/** The second set of numbers of x64 begins here; on others there is nothing. */
const SECOND_SET = 0x4000_0000;

const AF_UNIX = 1;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** struct seccomp_data: number, architecture, instruction pointer, six arguments of 8 bytes, little-endian. */
const NUMBER_AT = 0;
const MACHINE_AT = 4;
const FIRST_ARGUMENT_AT = 16;

/** linux/bpf_common.h: what an instruction does. */
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;
/** linux/seccomp.h. */
const ALLOW = 0x7fff_0000;
const FAIL_WITH = 0x0005_0000;

type Instruction = readonly [code: number, value: number, ifTrue?: number, ifFalse?: number];

/** The filter as the kernel takes it, 8 bytes an instruction; null for a machine that it is not written for. */
export function buildSocketFilter(architecture: NodeJS.Architecture = process.arch): Uint8Array | null {
  const machine = MACHINES[architecture];
  if (machine === undefined) return null;
  const refuse = (number: number, errno: number): Instruction[] => [
    [JUMP_IF_EQUAL, number, 0, 1],
    [RETURN, FAIL_WITH | errno],
  ];
  return encode([
    // Another architecture's calls have other numbers.
    [LOAD_WORD, MACHINE_AT],
    [JUMP_IF_EQUAL, machine.name, 1, 0],
    [RETURN, FAIL_WITH | EPERM],
    [LOAD_WORD, NUMBER_AT],
    [JUMP_IF_AT_LEAST, SECOND_SET, 0, 1],
    [RETURN, FAIL_WITH | EPERM],
    ...refuse(IO_URING_SETUP, ENOSYS),
    ...[...Object.values(machine.others), PIDFD_GETFD].flatMap((number) => refuse(number, EPERM)),
    [JUMP_IF_EQUAL, machine.socket, 1, 0],
    [RETURN, ALLOW],
    [LOAD_WORD, FIRST_ARGUMENT_AT],
    [JUMP_IF_EQUAL, AF_UNIX, 0, 1],
    [RETURN, ALLOW],
    [RETURN, FAIL_WITH | EAFNOSUPPORT],
  ]);
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
