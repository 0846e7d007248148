/** The variables that another program's file names: dotenv files and their kin, fnox.toml, secretspec.toml. Takes no value of a secret. */
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { parseDotenv } from '../formats/dotenv.ts';
import { readInputFile } from '../input/input-file.ts';
import { usageError } from '../run/failure.ts';
import { checkVariableName, type Declaration, MemberProblem } from './declarations.ts';

export interface ForeignVariable extends Pick<Declaration, 'default' | 'description' | 'required'> {
  readonly name: string;
}

/** Throws CliError, which has nothing of the content but a variable's name. */
export function readForeignFile(path: string): ForeignVariable[] {
  const bytes = readInputFile(path);
  if (!isUtf8(bytes)) throw usageError(`${path} is not UTF-8`);
  const text = bytes.toString();
  const found = path.endsWith('.toml') ? readToml(path, text) : readDotenv(path, text);
  for (const { name } of found) checkName(path, name);
  return found;
}

function checkName(path: string, name: string): void {
  try {
    checkVariableName(name);
  } catch (error) {
    if (!(error instanceof MemberProblem)) throw error;
    throw usageError(`${path}: ${name} ${error.message}; take it out first`);
  }
}

/** A comment right above a variable describes it. */
function readDotenv(path: string, text: string): ForeignVariable[] {
  const lines = text.split(/\r?\n/);
  const names = new Map(parseDotenv(path, text).map(({ name, line }) => [name, line]));
  return [...names].map(([name, line]) => {
    const above = /^\s*#\s*(.*\S)/.exec(lines[line - 2] ?? '')?.[1];
    // In .env.schema a comment with an @ is for the program.
    return {
      name,
      ...(above === undefined || above.startsWith('@') || above.includes('=') ? {} : { description: above }),
    };
  });
}

function readToml(path: string, text: string): ForeignVariable[] {
  const table = parseToml(path, text);
  const profiles = asTable(table.profiles);
  // secretspec.toml has profiles, fnox.toml has secrets.
  const variables =
    basename(path) === 'secretspec.toml' ? asTable(profiles?.default) : asTable(table.secrets);
  if (variables === null)
    throw usageError(
      `${path} has neither the table secrets of a fnox.toml nor profiles.default of a secretspec.toml`,
    );
  return Object.entries(variables).map(([name, value]) => ({ name, ...pickMembers(asTable(value) ?? {}) }));
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text, { unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw usageError(`${path}, line ${error.line}: not TOML`);
  }
}

/** What both programs say of a variable. Their defaults stand in a file that is committed, so they are no secrets. */
function pickMembers({
  description,
  default: usual,
  required,
}: Record<string, unknown>): Omit<ForeignVariable, 'name'> {
  return {
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof usual === 'string' ? { default: usual } : {}),
    ...(required === false && usual === undefined ? { required } : {}),
  };
}

function asTable(value: unknown): Record<string, unknown> | null {
  const isTable =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isTable ? (value as Record<string, unknown>) : null;
}
