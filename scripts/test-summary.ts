/**
 * A tap reporter. It prints one line for each test file, the figures that the file measured (`t.comment('figure: …')`), and all
 * diagnostics of every failure. The last line is `N passed, N failed`, which counts assertions.
 *
 * It reads tap's own output, whose shape is regular: four columns of indentation for each level, `# Subtest: name` above the lines
 * of a subtest, and the verdict of the subtest below them.
 *
 * If TEST_SUMMARY_FILE is set, the counts go to that file as JSON instead, and the process that set it prints the last line.
 */
import { writeFileSync } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { styleText } from 'node:util';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface FileResult extends Counts {
  name: string;
}

export interface Summary extends Counts {
  files: FileResult[];
}

/** A test file or a subtest whose lines are being read. */
interface Scope extends Counts {
  name: string;
  /** Number of assertions, including skipped ones. A subtest that passed without an assertion does not count. */
  asserted: number;
}

const SUBTEST = /^((?: {4})*)# Subtest: (.*)$/;
const POINT = /^((?: {4})*)(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TODO|time=[\d.]+ms)\b ?(.*))?$/;
/** Which lines of diagnostics are kept. Of a whole file's diagnostics, only those that say how its process ended. */
const ALL = /^/;
const NONE = /^\b$/;
const HOW_IT_ENDED = /^ *(?:exitCode|signal|expired|error|message):/;
const FIGURE = /^(?: {4})*# figure: (.*)$/;
const PRAGMA = /^(?: {4})*(?:TAP version \d+|\d+\.\.\d+.*|# .*|\s*|pragma .*)$/;

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

export default class TestSummary extends Transform {
  readonly #summary: Summary = { passed: 0, failed: 0, skipped: 0, files: [] };
  /** The open subtest at each depth. The first is the test file. */
  #scopes: Scope[] = [];
  /** Lines to show if the current file fails: its diagnostics, and what it printed itself. */
  #details: string[] = [];
  #figures: string[] = [];
  #diagnosticsIndent: number | null = null;
  #diagnosticsWanted: RegExp = NONE;
  /** A file that has ended but is not shown yet, because its own diagnostics come after its verdict. */
  #ended: FileResult | null = null;
  #rest = '';

  constructor() {
    super({ decodeStrings: false });
    process.once('exit', () => this.#finish());
  }

  override _transform(chunk: string | Buffer, _encoding: string, done: TransformCallback): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line);
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#rest !== '') this.#readLine(this.#rest);
    this.#showEnded();
    done();
  }

  #readLine(line: string): void {
    if (this.#readDiagnostics(line)) return;
    this.#showEnded();
    const subtest = SUBTEST.exec(line);
    const point = POINT.exec(line);
    const figure = FIGURE.exec(line)?.[1];
    if (figure !== undefined) this.#figures.push(`       ${figure}`);
    else if (subtest) this.#openScope(depthOf(subtest[1]), subtest[2] ?? '');
    else if (point) this.#readPoint(point);
    else if (/^\s*Bail out!/.test(line)) this.#fail(line.trim());
    else if (!PRAGMA.test(line)) this.#details.push(`    ${line.trim()}`);
  }

  /** Reads the YAML block after a test point. It is kept for a failure, and dropped otherwise. */
  #readDiagnostics(line: string): boolean {
    if (this.#diagnosticsIndent === null) {
      const start = /^( *) {2}---$/.exec(line);
      if (!start) return false;
      this.#diagnosticsIndent = (start[1] ?? '').length;
      return true;
    }
    // A block that was cut off has no end. Whatever stands further left is not of it.
    if (/^ *\S/.test(line) && line.search(/\S/) < this.#diagnosticsIndent) {
      this.#diagnosticsIndent = null;
      return false;
    }
    const text = line.slice(this.#diagnosticsIndent);
    if (text === '  ...') this.#diagnosticsIndent = null;
    else if (this.#diagnosticsWanted.test(text)) this.#details.push(`    ${text}`);
    return true;
  }

  #openScope(depth: number, name: string): void {
    this.#scopes.length = Math.min(this.#scopes.length, depth);
    this.#scopes.push({ name: unescapeName(name), passed: 0, failed: 0, skipped: 0, asserted: 0 });
  }

  #readPoint([, indent, not, name = '', directive = '', reason = '']: RegExpExecArray): void {
    this.#diagnosticsWanted = NONE;
    const depth = depthOf(indent);
    // Is this the verdict of the subtest whose lines just ended, or an assertion of the enclosing one?
    const closed = this.#scopes[depth];
    const isVerdict = closed !== undefined && closed.name === unescapeName(name);
    this.#scopes.length = Math.min(this.#scopes.length, isVerdict ? depth + 1 : depth);
    if (isVerdict) this.#closeScope(closed, not !== undefined, reason);
    else this.#count(not !== undefined, directive, unescapeName(name));
    if (!isVerdict) return;
    if (depth === 0) this.#ended = closed;
    this.#scopes.length = depth;
  }

  #count(isFailure: boolean, directive: string, name: string): void {
    for (const scope of this.#scopes) scope.asserted += 1;
    if (directive === 'SKIP' || directive === 'TODO') this.#add('skipped');
    else if (isFailure) this.#fail(name);
    else this.#add('passed');
  }

  /**
   * A verdict counts as an assertion only in three cases: it failed by itself (an exit code, a plan), it was skipped as a whole,
   * or its subtest can only throw, as a property test does. A file that asserted nothing has tested nothing.
   */
  #closeScope(scope: Scope, isFailure: boolean, reason: string): void {
    const isSilent = scope.passed + scope.failed + scope.skipped === 0;
    const isFile = scope === this.#scopes[0];
    if (isFailure && scope.failed === 0) this.#fail('failed as a whole');
    else if (isFailure) return;
    else if (isSilent && !/^(?:no tests found)?$/.test(reason)) this.#add('skipped');
    else if (isFile && scope.asserted === 0) this.#fail('made no assertion');
    else if (isSilent) this.#add('passed');
  }

  #fail(what: string): void {
    this.#add('failed');
    this.#diagnosticsWanted = this.#scopes.length > 1 ? ALL : HOW_IT_ENDED;
    const path = [...this.#scopes.map(({ name }) => name), what].join(' > ');
    const line = `  ${styleText('red', 'FAILED')} ${path}`;
    if (this.#scopes.length === 0) this.push(`${line}\n`);
    else this.#details.push(line);
  }

  #add(outcome: keyof Counts): void {
    this.#summary[outcome] += 1;
    for (const scope of this.#scopes) scope[outcome] += 1;
  }

  #showEnded(): void {
    if (this.#ended === null) return;
    const { name, passed, failed, skipped } = this.#ended;
    this.#summary.files.push({ name, passed, failed, skipped });
    const mark = failed > 0 ? styleText('red', 'not ok') : styleText('green', '    ok');
    this.push(`${mark} ${name}: ${closingLine({ passed, failed, skipped })}\n`);
    for (const figure of this.#figures) this.push(`${figure}\n`);
    if (failed > 0) this.push(`${this.#details.join('\n')}\n`);
    this.#figures = [];
    this.#details = [];
    this.#ended = null;
  }

  #finish(): void {
    const file = process.env.TEST_SUMMARY_FILE;
    if (file === undefined) console.log(closingLine(this.#summary));
    else writeFileSync(file, JSON.stringify(this.#summary));
  }
}

function depthOf(indent = ''): number {
  return indent.length / 4;
}

function unescapeName(name: string): string {
  return name.replaceAll('\\#', '#');
}
