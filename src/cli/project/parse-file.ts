/** Reads one file of a project: TOML, which never has a value of a secret. */
import { parse, TomlError } from 'smol-toml';
import { usageError } from '../run/failure.ts';
import { checkVariableName, type Declaration, MemberProblem, readMember } from './declarations.ts';
import { locateMember } from './locate-member.ts';
import type { ProjectText } from './read-file.ts';

/** Variables by their names. */
export type Declarations = ReadonlyMap<string, Placed>;

/** What a file says of a variable, and where. */
export interface Placed {
  readonly said: Declaration;
  /** File and line, for messages. */
  readonly place: string;
}

export interface ProjectFile {
  readonly path: string;
  /** All that it says. */
  readonly toml: string;
  /** The environment to work in, unless another one is named. */
  readonly environment?: string;
  /** Whether files in the folders above are left alone. */
  readonly isRoot: boolean;
  /** Paths of other files, from this one's folder. */
  readonly extends: readonly string[];
  readonly secrets: Declarations;
  /** What is on top of it in an environment. */
  readonly environments: ReadonlyMap<string, Declarations>;
}

const VERSION = 1;
const TOP = ['version', 'environment', 'extends', 'root', 'secrets', 'env'] as const;

/** Throws CliError, which names file, line and member. */
export function parseProjectFile({ path, toml }: ProjectText): ProjectFile {
  const file = new FileReader(path, toml);
  const table = file.parse();
  file.check(['version'], () => checkVersion(table.version));
  const environment = file.check(['environment'], () => readName(table.environment));
  const isRoot = file.check(['root'], () => readFlag(table.root));
  const extended = file.check(['extends'], () => readExtends(table.extends));
  for (const name of Object.keys(table))
    file.check([name], () => {
      if (!TOP.some((known) => known === name))
        throw new MemberProblem(`is unknown; there are ${TOP.join(', ')}`);
    });
  return {
    path,
    toml,
    ...(environment === undefined ? {} : { environment }),
    isRoot,
    extends: extended,
    secrets: file.readDeclarations(['secrets'], table.secrets),
    environments: file.readEnvironments(table.env),
  };
}

function checkVersion(version: unknown): void {
  if (version === VERSION) return;
  throw new MemberProblem(
    version === undefined
      ? `is missing; write: version = ${VERSION}`
      : `takes ${VERSION}, which is the only one so far`,
  );
}

function readFlag(value: unknown = false): boolean {
  if (typeof value !== 'boolean') throw new MemberProblem('takes true or false');
  return value;
}

function readName(value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string')
    throw new MemberProblem('takes a name in quotation marks');
  return value;
}

function readExtends(value: unknown = []): string[] {
  const paths = Array.isArray(value) ? value : [value];
  for (const path of paths) {
    if (typeof path !== 'string' || path.startsWith('/') || !path.endsWith('.toml') || path.includes('\0'))
      throw new MemberProblem('takes paths of other files that end in .toml, from the folder of this one');
  }
  return paths;
}

/** Checks the tables of one file. */
class FileReader {
  readonly #path: string;
  readonly #toml: string;

  constructor(path: string, toml: string) {
    this.#path = path;
    this.#toml = toml;
  }

  parse(): Record<string, unknown> {
    try {
      return parse(this.#toml, { unsafeKeyBehaviour: 'throw', maxDepth: 16 });
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      // The first line of the message; those after it quote the file.
      const [problem = ''] = error.message.split('\n');
      const reason = problem.replace(/^Invalid TOML document: /, '');
      throw usageError(`${this.#path}, line ${error.line}: not TOML: ${reason}`);
    }
  }

  /** Runs a check of the member at this path, and says of a problem where it is. */
  check<T>(member: readonly string[], run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof MemberProblem)) throw error;
      throw usageError(`${this.#place(member)}: ${member.join('.')} ${error.message}`);
    }
  }

  /** `[env.prod.secrets]` and its like. */
  readEnvironments(value: unknown = {}): ReadonlyMap<string, Declarations> {
    const sections = Object.entries(this.#readTable(['env'], value));
    return new Map(sections.map(([name, section]) => [name, this.#readSection(['env', name], section)]));
  }

  #readSection(path: readonly string[], value: unknown): Declarations {
    const { secrets, ...others } = this.#readTable(path, value);
    for (const other of Object.keys(others))
      this.check([...path, other], () => {
        throw new MemberProblem('is unknown; a section of an environment has secrets alone');
      });
    return this.readDeclarations([...path, 'secrets'], secrets);
  }

  readDeclarations(path: readonly string[], value: unknown = {}): Declarations {
    const entries = Object.entries(this.#readTable(path, value));
    return new Map(
      entries.map(([name, members]) => [name, this.#readDeclaration([...path, name], name, members)]),
    );
  }

  #readDeclaration(path: readonly string[], name: string, value: unknown): Placed {
    this.check(path, () => checkVariableName(name));
    // A lone text is a reference, since a value must not stand here.
    const members = typeof value === 'string' ? { ref: value } : this.#readTable(path, value);
    const said = Object.fromEntries(
      Object.entries(members).map(([member, given]) => [
        member,
        this.check([...path, member], () => readMember(member, given)),
      ]),
    ) as Declaration;
    this.check(path, () => checkTogether(said));
    return { said, place: this.#place(path) };
  }

  #readTable(path: readonly string[], value: unknown): Record<string, unknown> {
    return this.check(path, () => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date))
        return value as Record<string, unknown>;
      throw new MemberProblem('takes a table');
    });
  }

  #place(member: readonly string[]): string {
    const line = locateMember(this.#toml, member);
    return line === null ? this.#path : `${this.#path}, line ${line}`;
  }
}

/** Throws MemberProblem for members of which one makes another one useless. */
function checkTogether(said: Declaration): void {
  if (said.ref !== undefined && said.composed !== undefined)
    throw new MemberProblem('has ref and composed; a value comes from one of them');
  if (said.composed !== undefined && said.default !== undefined)
    throw new MemberProblem('has composed and default; a value comes from one of them');
  if (said.generate !== undefined && said.composed !== undefined)
    throw new MemberProblem('has generate and composed; only what is stored can be generated');
  if (said.required === true && said.default !== undefined)
    throw new MemberProblem('is required and has a default; leave one of them out');
}
