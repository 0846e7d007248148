/** Whether a program is sure to start. Before Node 26 a failed execve aborts the process. */
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';

/** Bytes of arguments and environment together that every system takes; most take more. */
const SURE_SIZE = 131_072;
/** Bytes of the pointer to each string. */
const POINTER_SIZE = 8;
const HEAD_SIZE = 256;

/** ELF; Mach-O for 64 bits, and for several processors. */
const BINARIES = ['7f454c46', 'cffaedfe', 'cafebabe'].map((magic) => Buffer.from(magic, 'hex'));
const INTERPRETER = /^#![ \t]*([^ \t\n]+)[^\n]*\n/;

export function mayFailToStart(program: string, command: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return measureArguments(command, env) > SURE_SIZE || !isStartable(program);
}

function measureArguments(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const strings = [...command, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  return strings.reduce((size, text) => size + Buffer.byteLength(text) + 1 + POINTER_SIZE, 0);
}

/** A binary of a usual kind, or a script whose interpreter is there. */
function isStartable(program: string): boolean {
  try {
    const head = readHead(program);
    if (BINARIES.some((magic) => head.subarray(0, magic.length).equals(magic))) return true;
    const interpreter = INTERPRETER.exec(head.toString('latin1'))?.[1];
    if (interpreter === undefined) return false;
    accessSync(Buffer.from(interpreter, 'latin1'), constants.X_OK);
    return true;
  } catch {
    // A program may be executable and not readable. Starting it as a child shows that.
    return false;
  }
}

function readHead(path: string): Buffer {
  const head = Buffer.alloc(HEAD_SIZE);
  const fd = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
