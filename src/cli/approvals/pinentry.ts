/**
 * Asks the owner by a pinentry, the program of GnuPG that shows a question in a window or on a terminal. It speaks the Assuan
 * protocol, a line at a time, over standard input and output.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CliError, EXIT } from '../run/failure.ts';

const DEFAULT_PROGRAM = 'pinentry';
/** Bytes of a line of Assuan, its end included, and of the longest command before the text. */
const MAX_LINE_SIZE = 1_000;
const COMMAND_SIZE = 20;
/** Codes of libgpg-error: the low 16 bits. */
const CODE_MASK = 0xffff;
const [TIMEOUT, CANCELED, NOT_CONFIRMED, FULLY_CANCELED] = [62, 99, 114, 198];
const NO = [CANCELED, NOT_CONFIRMED, FULLY_CANCELED];

export interface Question {
  readonly lines: readonly string[];
  readonly yes: string;
  readonly no: string;
  /** When the question is over, as a Unix time in milliseconds. */
  readonly untilMs: number;
}

/** Returns the answer; null if the question was over before. Throws CliError if pinentry cannot ask. */
export async function askByPinentry(question: Question, env: NodeJS.ProcessEnv): Promise<boolean | null> {
  const seconds = Math.max(1, Math.ceil((question.untilMs - Date.now()) / 1_000));
  const session = new Assuan(env.MAV_PINENTRY || DEFAULT_PROGRAM, env, seconds * 1_000);
  try {
    await session.expectOk('its greeting');
    // An option that this pinentry does not know is left out.
    for (const command of describeQuestion(question, seconds, env)) await session.ask(command);
    const answer = await session.ask('CONFIRM');
    if (answer === null) return null;
    if (answer.isOk) return true;
    if (NO.includes(answer.code)) return false;
    if (answer.code === TIMEOUT) return null;
    throw new CliError(EXIT.failed, `${session.program} cannot ask: ${answer.text}`);
  } finally {
    session.end();
  }
}

/** Returns the commands that set what is asked, where and for how long. */
function describeQuestion({ lines, yes, no }: Question, seconds: number, env: NodeJS.ProcessEnv): string[] {
  return [
    // Where its terminal is; a window needs neither.
    ...(env.GPG_TTY ? [`OPTION ttyname=${escapeText(env.GPG_TTY)}`] : []),
    ...(env.TERM ? [`OPTION ttytype=${escapeText(env.TERM)}`] : []),
    'SETTITLE mav',
    `SETDESC ${escapeText(lines.join('\n'))}`,
    `SETOK ${escapeText(yes)}`,
    `SETCANCEL ${escapeText(no)}`,
    `SETTIMEOUT ${seconds}`,
  ];
}

interface Answer {
  readonly isOk: boolean;
  readonly code: number;
  readonly text: string;
}

/** A pinentry that runs. */
class Assuan {
  readonly program: string;
  readonly #child;
  readonly #lines: AsyncIterator<string>;
  #failure: string | null = null;

  /** `lifeMs`: it is ended after that time. */
  constructor(program: string, env: NodeJS.ProcessEnv, lifeMs: number) {
    this.program = program;
    this.#child = spawn(program, [], { env, stdio: ['pipe', 'pipe', 'ignore'], timeout: lifeMs });
    this.#child.on('error', ({ message }) => {
      this.#failure = message;
    });
    // It may end before it has read everything.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Returns null if pinentry was ended because its time was over. Throws CliError if it ends by itself. */
  async ask(command: string): Promise<Answer | null> {
    this.#child.stdin.write(`${command}\n`);
    return this.#read();
  }

  async expectOk(what: string): Promise<void> {
    const answer = await this.#read();
    if (answer?.isOk !== true) throw new CliError(EXIT.failed, `${this.program} did not send ${what}`);
  }

  async #read(): Promise<Answer | null> {
    for (;;) {
      const { value: line, done } = await this.#lines.next();
      if (done === true) return this.#explainEnd();
      // Comments and status lines come before the answer.
      if (line.startsWith('OK')) return { isOk: true, code: 0, text: line };
      const error = /^ERR (\d+) ?(.*)$/.exec(line);
      if (error !== null)
        return { isOk: false, code: Number(error[1]) & CODE_MASK, text: error[2] ?? 'unknown error' };
    }
  }

  #explainEnd(): null {
    if (this.#child.killed) return null;
    const problem = this.#failure === null ? 'ended without an answer' : 'cannot be started';
    throw new CliError(EXIT.failed, `${this.program} ${problem}; MAV_PINENTRY names another program`);
  }

  end(): void {
    this.#child.stdin.end('BYE\n');
    this.#child.stdout.destroy();
    this.#child.unref();
  }
}

/** Percent-encodes what would end the line, and cuts the text to what a line holds. */
function escapeText(text: string): string {
  let escaped = '';
  for (const character of text) {
    const next = /[%\r\n]/.test(character)
      ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : character;
    if (Buffer.byteLength(escaped) + Buffer.byteLength(next) > MAX_LINE_SIZE - COMMAND_SIZE) break;
    escaped += next;
  }
  return escaped;
}
