/** The processes that the benchmark starts. None of them outlives it. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';

const running = new Set<ChildProcess>();

/** Starts this Node with `args`. */
export function startNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  stdio: StdioOptions,
): ChildProcess {
  const child = spawn(process.execPath, args, { env, stdio });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const closed = once(child, 'close');
  child.kill();
  await closed;
}

export function killProcesses(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs one of the benchmark's own programs, which prints one line of JSON. Throws Error if it fails. */
export async function runProgram<Result>(file: string, options: object): Promise<Result> {
  const args = [join(import.meta.dirname, file), JSON.stringify(options)];
  const child = startNode(args, process.env, ['ignore', 'pipe', 'pipe']);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (text) => {
      output[name] += text;
    });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(findMessage(output.stderr));
  return JSON.parse(output.stdout);
}

/** Runs this Node to its end, and returns how long that took. Throws Error if it fails. */
export function timeNode(args: readonly string[], env: NodeJS.ProcessEnv): number {
  return timeProgram([process.execPath, ...args], env);
}

const MAX_OUTPUT = 64 * 1_048_576;

/** Runs a program to its end, with this Node first on PATH, and returns how long that took. Throws Error if it fails. */
export function timeProgram(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const [program = '', ...args] = command;
  const PATH = `${dirname(process.execPath)}:${env.PATH}`;
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    env: { ...env, PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: MAX_OUTPUT,
  });
  const tookMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${command.slice(0, 3).join(' ')} failed: ${stderr}`);
  return tookMs;
}

/** Returns only the error from what Node prints for an uncaught one. */
function findMessage(stderr: string): string {
  return /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim();
}
