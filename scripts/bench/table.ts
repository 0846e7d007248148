/** The table for people, of at most 100 columns. */
import { grouped, judge, type Row, type Target } from './row.ts';

const COLUMNS = ['what', 'measured', 'ratio', 'target', 'result'] as const;
const GAP = '  ';
/** Width that the other columns leave of a line. */
const MAX_MEASURED = 33;

export function formatTable(rows: readonly Row[]): string {
  const cells = [COLUMNS, ...rows.map(toCells)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(GAP));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function toCells(row: Row): string[] {
  const { what, measured, figure, unit = '', target } = row;
  const result = judge(row);
  return [
    what,
    shorten(measured),
    figure === null ? '-' : formatFigure(figure, unit),
    target === undefined ? '-' : formatTarget(target, unit),
    result === 'missed' ? 'MISSED' : result,
  ];
}

/** Cuts a text. Only the message of a failure is ever longer, and standard error has it whole. */
function shorten(text: string): string {
  return text.length <= MAX_MEASURED ? text : `${text.slice(0, MAX_MEASURED - 1)}…`;
}

function formatFigure(figure: number, unit: string): string {
  return `${figure >= 100 ? grouped(figure) : figure.toFixed(figure < 1 ? 3 : 2)}${unit}`;
}

function formatTarget(target: Target, unit: string): string {
  const [sign, bound] = 'atLeast' in target ? ['>=', target.atLeast] : ['<=', target.atMost];
  return `${sign} ${bound.toLocaleString('en')}${unit}`;
}
