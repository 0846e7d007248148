/**
 * `npm run house`: figures of how the code is laid out. It counts the files of each folder, the lines of files and functions
 * (one that only returns a literal is counted as a table), the share of comments, the pairs of folders that import each other, and how many of our functions a GET and a PUT pass through.
 * `--walk` names these functions. They are counted in a running daemon, so dist/ must be built.
 */
import { dirname } from 'node:path';
import { readSources, type SourceFile } from './house/sources.ts';
import { type Walk, walkRequests } from './house/walks.ts';

const LONG_FUNCTION = 25;
/** Long functions that are listed. */
const LISTED = 30;

function printFolders(files: readonly SourceFile[]): void {
  const folders = Map.groupBy(files, ({ path }) => dirname(path));
  const rows = [...folders].map(([folder, inside]) => {
    const comments = sum(inside, ({ commentLines }) => commentLines);
    const share = comments / (comments + sum(inside, ({ codeLines }) => codeLines));
    return [folder, inside.length, sum(inside, ({ lines }) => lines), `${Math.round(share * 100)} %`];
  });
  printTable(['folder', 'loose files', 'lines', 'comments'], rows);
}

function printSizes(files: readonly SourceFile[]): void {
  const functions = files.flatMap(({ path, functions }) => functions.map((each) => ({ path, ...each })));
  const long = functions.filter(({ lines }) => lines > LONG_FUNCTION).toSorted((a, b) => b.lines - a.lines);
  const tables = files.flatMap((file) => file.tables);
  const fileLines = files.map(({ lines }) => lines);
  const functionLines = functions.map(({ lines }) => lines);
  console.log(`\n${files.length} files: ${describeSpread(fileLines)} lines`);
  console.log(`${functions.length} functions: ${describeSpread(functionLines)} lines`);
  console.log(
    `${tables.length} tables, which are functions that only return a literal: ${describeSpread(tables.map(({ lines }) => lines))} lines`,
  );
  console.log(`${long.length} functions of more than ${LONG_FUNCTION} lines; the longest:`);
  for (const { path, line, name, lines } of long.slice(0, LISTED)) {
    console.log(`  ${String(lines).padStart(4)}  ${name || 'without a name'}  ${path}:${line}`);
  }
}

function describeSpread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return `median ${at(0.5)}, nine of ten at most ${at(0.9)}, longest ${at(1)}`;
}

function printPairs(files: readonly SourceFile[]): void {
  const pairs = findPairs(files);
  console.log(`\n${pairs.length} pairs of folders that import each other:`);
  for (const pair of pairs) console.log(`  ${pair}`);
}

/** Returns `a and b` for each two folders that each have a file that imports a file of the other. */
function findPairs(files: readonly SourceFile[]): string[] {
  const edges = new Set(
    files.flatMap(({ path, imports }) => imports.map((to) => `${dirname(path)} and ${dirname(to)}`)),
  );
  return [...edges]
    .filter((edge) => {
      const [from = '', to = ''] = edge.split(' and ');
      return from < to && edges.has(`${to} and ${from}`);
    })
    .toSorted();
}

function printWalk({ request, functions }: Walk): void {
  const files = new Set(functions.map((place) => place.split(':')[0]));
  console.log(`\na ${request} passes through ${functions.length} functions in ${files.size} files`);
  if (process.argv.includes('--walk')) for (const place of functions) console.log(`  ${place}`);
}

function sum<T>(of: readonly T[], measure: (one: T) => number): number {
  return of.reduce((total, one) => total + measure(one), 0);
}

function printTable(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const [first = '', ...others] = heading;
  const width = Math.max(...rows.map(([name]) => String(name).length));
  const line = ([name, ...cells]: readonly (string | number)[]) =>
    String(name).padEnd(width) +
    cells.map((cell, at) => String(cell).padStart((others[at]?.length ?? 0) + 3)).join('');
  console.log(line([first, ...others]));
  for (const row of rows) console.log(line(row));
}

const files = readSources();
printFolders(files);
printSizes(files);
printPairs(files);
for (const walk of await walkRequests()) printWalk(walk);
