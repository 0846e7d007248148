/** A text in the user's editor. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutFinalNewline } from '../../text/final-newline.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { createEditedFile, type EditedFile, readEditedFile, wipeFolder } from './edited-file.ts';

const NEWLINE = 0x0a;
/** How long an editor that is told to end may take. */
const END_PATIENCE_MS = 2_000;

type Ending = 'SIGTERM' | 'SIGHUP';
/** As shells have it: 128 and the signal's number. */
const EXIT_AFTER: Readonly<Record<Ending, number>> = { SIGTERM: 143, SIGHUP: 129 };

/** The edited text. Throws CliError if the editor fails, and then nothing of the text is left anywhere either. */
export async function editText(env: NodeJS.ProcessEnv, text: Uint8Array): Promise<Uint8Array> {
  // Before there is a file: a signal may come as soon as there is one.
  const { told, forget } = listenForEnd();
  try {
    return await editFile(env, text, told);
  } finally {
    forget();
  }
}

async function editFile(
  env: NodeJS.ProcessEnv,
  text: Uint8Array,
  told: Promise<Ending>,
): Promise<Uint8Array> {
  const file = createEditedFile(env, text);
  try {
    await runEditor(env, file, told);
    const edited = readEditedFile(file);
    if (edited === null) throw new CliError(EXIT.failed, 'the editor removed the file; nothing was stored');
    // Editors add a final newline. A text that had none keeps having none.
    return text.at(-1) === NEWLINE ? edited : withoutFinalNewline(edited);
  } finally {
    wipeFolder(file.folder);
  }
}

/** Resolves when the editor has ended well. Throws CliError. */
async function runEditor(
  env: NodeJS.ProcessEnv,
  { path, folder }: EditedFile,
  told: Promise<Ending>,
): Promise<void> {
  const editor = env.VISUAL || env.EDITOR || 'vi';
  const { MAV_TOKEN: _, ...others } = env;
  const child = spawn('sh', ['-c', toShell(editor), editor, path], {
    stdio: 'inherit',
    env: { ...others, TMPDIR: folder },
  });
  checkEnd(await waitFor(child, told));
}

function checkEnd({ code, signal }: EditorEnd): void {
  if (code === 0) return;
  if (signal === 'SIGINT' || code === EXIT.interrupted)
    throw new CliError(EXIT.interrupted, 'stopped; nothing was stored');
  throw new CliError(EXIT.failed, `the editor failed (${signal ?? `exit code ${code}`}); nothing was stored`);
}

/**
 * A command line with arguments, and quotes around them: a shell reads it, as git has it. The shell makes way for a
 * plain command, so that signals reach the editor; else it outlives a Ctrl-C that the editor takes for its own.
 */
function toShell(editor: string): string {
  return /[;&|<>()`\n=:]/.test(editor) ? `trap : INT QUIT; ${editor} "$@"` : `exec ${editor} "$@"`;
}

interface EditorEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Waits for the editor; told to end, it ends the editor first and throws CliError then. */
async function waitFor(child: ChildProcess, told: Promise<Ending>): Promise<EditorEnd> {
  const ended = new Promise<EditorEnd>((resolve, reject) => {
    child.once('error', () =>
      reject(new CliError(EXIT.failed, 'no editor can be started here: there is no sh')),
    );
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const first = await Promise.race([ended, told]);
  if (typeof first !== 'string') return first;
  child.kill(first);
  await Promise.race([ended, sleep(END_PATIENCE_MS, undefined, { ref: false })]);
  child.kill('SIGKILL');
  throw new CliError(EXIT_AFTER[first], 'told to end; nothing was stored');
}

/** Ctrl-C is the editor's business: it reaches this process too, which must outlive the editor to wipe. */
function listenForEnd(): { told: Promise<Ending>; forget: () => void } {
  const { promise: told, resolve } = Promise.withResolvers<Ending>();
  const listeners = {
    SIGINT: () => {},
    SIGQUIT: () => {},
    SIGTERM: () => resolve('SIGTERM'),
    SIGHUP: () => resolve('SIGHUP'),
  };
  const all = Object.entries(listeners) as [NodeJS.Signals, () => void][];
  for (const [signal, listener] of all) process.on(signal, listener);
  return {
    told,
    forget: () => {
      for (const [signal, listener] of all) process.off(signal, listener);
    },
  };
}
