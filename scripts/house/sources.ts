/** The source files of the program, each with its lines, comments, functions and imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { type Node, type Options, parse } from 'acorn';

const root = resolve(import.meta.dirname, '../..');
const ROOMS = ['src', 'workers'];
const PARSING: Options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true };

export interface SourceFile {
  readonly path: string;
  readonly lines: number;
  /** Number of lines with only a comment, and of lines with code. Blank lines are neither. */
  readonly commentLines: number;
  readonly codeLines: number;
  readonly functions: readonly FunctionSize[];
  /** Functions that only return an object or array literal. They are tables, not code. */
  readonly tables: readonly FunctionSize[];
  readonly imports: readonly string[];
}

interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly isTable: boolean;
}

/** Every source file of src/ and workers/, by path. */
export function readSources(): SourceFile[] {
  const paths = ROOMS.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.c?ts$/.test(name))
      .map((name) => `${room}/${name}`),
  );
  return paths.toSorted().map(readSource);
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const comments: [start: number, end: number][] = [];
  const functions: FunctionSize[] = [];
  // Types become blanks, so that line numbers stay the same.
  const program = parse(stripTypeScriptTypes(text), {
    ...PARSING,
    locations: true,
    onComment: (_, __, start, end) => comments.push([start, end]),
  });
  visit(program, '', functions);
  const withoutComments = comments.reduce(
    (rest, [start, end]) =>
      rest.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + rest.slice(end),
    text,
  );
  const count = (of: string) => of.split('\n').filter((line) => line.trim() !== '').length;
  const codeLines = count(withoutComments);
  return {
    path,
    lines: text.split('\n').length - 1,
    commentLines: count(text) - codeLines,
    codeLines,
    functions: functions.filter(({ isTable }) => !isTable),
    tables: functions.filter(({ isTable }) => isTable),
    imports: [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, to = '']) =>
      relative(root, resolve(root, dirname(path), to)),
    ),
  };
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Collects the functions below a node. A function without a name gets the name of what it is assigned to. */
function visit(node: Node, name: string, functions: FunctionSize[]): void {
  if (FUNCTIONS.has(node.type) && node.loc) {
    const { start, end } = node.loc;
    functions.push({
      name: nameOf(node) ?? name,
      line: start.line,
      lines: end.line - start.line + 1,
      isTable: returnsLiteral(node),
    });
  }
  for (const child of Object.values(node).flat()) {
    if (typeof child?.type === 'string') visit(child, nameOf(node) ?? name, functions);
  }
}

const LITERALS = new Set(['ObjectExpression', 'ArrayExpression']);

/** Returns whether all that a function does is to return one object or array literal. */
function returnsLiteral(node: Node): boolean {
  const { body } = node as Node & { body: Node };
  if (body.type !== 'BlockStatement') return LITERALS.has(body.type);
  const { body: statements } = body as Node & { body: (Node & { argument?: Node | null })[] };
  const [only] = statements;
  return (
    statements.length === 1 && only?.type === 'ReturnStatement' && LITERALS.has(only.argument?.type ?? '')
  );
}

function nameOf(node: Node): string | undefined {
  const { id, key } = node as { id?: { name?: string } | null; key?: { name?: string } };
  return id?.name ?? key?.name;
}
