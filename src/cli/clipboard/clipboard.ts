/** The clipboard, through the tool that this desktop has for it. A value goes there by a pipe, never by arguments. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { withoutFinalNewline } from '../../text/final-newline.ts';
import { isExecutable } from '../process/find-program.ts';
import { CliError, EXIT } from '../run/failure.ts';

type CommandLine = readonly [program: string, ...args: string[]];

export interface Clipboard {
  readonly copy: CommandLine;
  readonly paste: CommandLine;
  /** Null: copying nothing clears it. */
  readonly clear: CommandLine | null;
  /** The tool reads and prints another encoding than UTF-8. */
  readonly encoding?: 'windows';
}

const WAYLAND: Clipboard = {
  copy: ['wl-copy', '--type', 'text/plain;charset=utf-8'],
  paste: ['wl-paste', '--no-newline'],
  clear: ['wl-copy', '--clear'],
};
const XCLIP: Clipboard = {
  copy: ['xclip', '-selection', 'clipboard', '-in'],
  paste: ['xclip', '-selection', 'clipboard', '-out'],
  clear: null,
};
const XSEL: Clipboard = {
  copy: ['xsel', '--clipboard', '--input'],
  paste: ['xsel', '--clipboard', '--output'],
  clear: ['xsel', '--clipboard', '--clear'],
};
const MACOS: Clipboard = { copy: ['pbcopy'], paste: ['pbpaste'], clear: null };
const WINDOWS: Clipboard = {
  copy: ['clip.exe'],
  paste: [
    ...(['powershell.exe', '-NoProfile', '-NonInteractive', '-Command'] as const),
    '[Console]::OutputEncoding = [Text.Encoding]::UTF8; Get-Clipboard -Raw',
  ],
  clear: null,
  encoding: 'windows',
};

/** A tool hangs for as long as the program that owns the clipboard does. */
const TOOL_TIMEOUT_MS = 5_000;

/** The tool for this desktop. Throws CliError, which says what to install. */
export function findClipboard(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): Clipboard {
  const found = listCandidates(env, platform).find(({ copy: [program] }) => isOnPath(program, env));
  if (found !== undefined) return found;
  throw new CliError(EXIT.failed, `nothing was copied: ${explainMissing(env, platform)}`);
}

function listCandidates(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): readonly Clipboard[] {
  if (platform === 'darwin') return [MACOS];
  if (platform === 'win32') return [WINDOWS];
  return [
    ...(env.WAYLAND_DISPLAY ? [WAYLAND] : []),
    ...(env.DISPLAY ? [XCLIP, XSEL] : []),
    ...(env.WSL_DISTRO_NAME ? [WINDOWS] : []),
  ];
}

function explainMissing(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'pbcopy is not on PATH';
  if (platform === 'win32' || env.WSL_DISTRO_NAME) return 'clip.exe is not on PATH';
  if (env.WAYLAND_DISPLAY) return 'install wl-clipboard (for wl-copy)';
  if (env.DISPLAY) return 'install xclip or xsel';
  return 'there is no desktop here (neither WAYLAND_DISPLAY nor DISPLAY is set)';
}

function isOnPath(program: string, { PATH = '' }: NodeJS.ProcessEnv): boolean {
  return PATH.split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

/** Puts a text there, as UTF-8. Throws CliError. */
export async function copyText({ copy, encoding }: Clipboard, text: Uint8Array): Promise<void> {
  const [program, ...args] = copy;
  const line: CommandLine = [program, ...args, ...(await hintAt(program))];
  const { code } = await runTool(line, encoding === 'windows' ? encodeForWindows(text) : text);
  if (code === 0) return;
  throw new CliError(EXIT.failed, `nothing was copied: ${program} failed; is the desktop reachable?`);
}

/** Returns the clipboard's text; null if it holds something else, `unreadable` if the tool failed. */
export async function pasteText({ paste, encoding }: Clipboard): Promise<Uint8Array | null | 'unreadable'> {
  const { code, output } = await runTool(paste, null);
  if (code === null) return 'unreadable';
  if (code !== 0) return null;
  // PowerShell ends what it prints with a newline.
  return encoding === 'windows' ? withoutFinalNewline(output) : output;
}

export async function clearClipboard({ clear, copy }: Clipboard): Promise<void> {
  await runTool(clear ?? copy, clear === null ? new Uint8Array() : null);
}

/** Newer versions can mark it as a password, which clipboard managers then keep out of their history. */
async function hintAt(program: string): Promise<readonly string[]> {
  if (program !== 'wl-copy') return [];
  const { output } = await runTool(['wl-copy', '--help'], null, true);
  return output.includes('--sensitive') ? ['--sensitive'] : [];
}

/** clip.exe reads text beyond ASCII in the console's code page, unless it is UTF-16. */
function encodeForWindows(text: Uint8Array): Uint8Array {
  return text.every((byte) => byte < 0x80) ? text : Buffer.from(Buffer.from(text).toString(), 'utf16le');
}

interface ToolEnd {
  /** Null: it did not start, or did not end in time. */
  readonly code: number | null;
  readonly output: Buffer;
}

/**
 * Runs a tool. One that is given input returns no output: it goes on in the background to hand out what it holds, in a
 * session of its own, and would keep a pipe open as long.
 */
function runTool(line: CommandLine, input: Uint8Array | null, readsErrors = false): Promise<ToolEnd> {
  const [program, ...args] = line;
  const child = spawn(program, args, {
    env: envOfTool(),
    detached: true,
    stdio:
      input === null ? ['ignore', 'pipe', readsErrors ? 'pipe' : 'ignore'] : ['pipe', 'ignore', 'ignore'],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), TOOL_TIMEOUT_MS);
  return new Promise((resolve) => {
    const end = (code: number | null) => {
      clearTimeout(timer);
      resolve({ code, output: Buffer.concat(chunks) });
    };
    child.once('error', () => end(null));
    child.once(input === null ? 'close' : 'exit', end);
  });
}

function envOfTool(): NodeJS.ProcessEnv {
  const { MAV_TOKEN: _, ...env } = process.env;
  return {
    ...env,
    // wl-copy keeps what it holds in a file: in memory rather than on a disk, where that is possible.
    ...(env.XDG_RUNTIME_DIR ? { TMPDIR: env.XDG_RUNTIME_DIR } : {}),
    // What pbcopy takes its input for.
    ...(process.platform === 'darwin' ? { LC_CTYPE: 'UTF-8' } : {}),
  };
}
