/** What a scan found: gathered once for each line, sorted, and printed without any part of a value. */

import { escapeControls } from '../../text/escape-controls.ts';
import type { Input } from '../run/command.ts';
import type { Found } from './value-matcher.ts';
import type { ValueOwner } from './watched-values.ts';

export interface Finding extends ValueOwner {
  readonly path: string;
  readonly line: number;
}

const CONTROL_CHARACTER = /\p{Cc}/u;

export class Findings {
  /** Keyed by place and owner: a value may stand in one line twice, or match in two encodings. */
  readonly #byKey = new Map<string, Finding>();

  add(path: string, { line, owner }: Found<ValueOwner>): void {
    this.#byKey.set(JSON.stringify([path, line, owner.name, owner.environment, owner.field]), {
      path,
      line,
      ...owner,
    });
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** By path, line, and whose value it is. */
  list(): Finding[] {
    return [...this.#byKey.values()].sort(
      (one, other) =>
        compareTexts(one.path, other.path) ||
        one.line - other.line ||
        compareTexts(one.name, other.name) ||
        compareTexts(one.environment, other.environment) ||
        compareTexts(one.field ?? '', other.field ?? ''),
    );
  }
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** `-o json`: an array; else a line for each, none where nothing was found. */
export function printFindings({ context, output }: Input, findings: readonly Finding[]): void {
  if (output === 'json') context.printJson(JSON.stringify(findings));
  else if (findings.length > 0) context.print(findings.map(describeFinding).join('\n'));
}

function describeFinding({ path, line, name, environment, field }: Finding): string {
  const place = environment === '' ? '' : ` (in ${environment})`;
  const owner = `secret ${name}${place}${field === undefined ? '' : `, field ${field}`}`;
  return `${showPath(path)}:${line}: ${escapeControls(owner)}`;
}

/** A path may have anything in it, escape sequences of the terminal too. */
export function showPath(path: string): string {
  return escapeControls(CONTROL_CHARACTER.test(path) ? JSON.stringify(path) : path);
}
