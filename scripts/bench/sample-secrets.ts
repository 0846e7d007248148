/**
 * The secrets that fill the vaults. Names, environments and metadata follow the same pattern in a vault of any size, so that two
 * vaults differ only in size. Each secret is computed from its index, so a million need not be kept in memory.
 */

export interface SampleSecret {
  readonly name: string;
  readonly environment: string;
  readonly metadata: { readonly team: string; readonly service: string };
  readonly value: string;
}

/** Part of the names of ten secrets in a vault of any size, and found nowhere else. */
export const MARKER = 'lodge';
export const MARKED = 10;
/** Has no hyphens or digits, so any three letters of the marker are in about as many names as any other three. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const WORD_LENGTH = 10;

/** Number of these that fills a page of a thousand secrets. */
const ENVIRONMENTS = 10;
const TEAMS = 10;
/** Number of secrets that have the same service, in a vault of any size: one page. */
const SECRETS_PER_SERVICE = 100;

export const ENVIRONMENT = 'stage-3';
export const TEAM = 'team-3';
export const SERVICE = 'service-3';

/** `count`: number of secrets in the vault, a multiple of 1,000. */
export function sampleSecret(index: number, count: number, valueSize: number): SampleSecret {
  return {
    name: sampleName(index, count),
    environment: `stage-${index % ENVIRONMENTS}`,
    metadata: {
      team: `team-${Math.floor(index / ENVIRONMENTS) % TEAMS}`,
      service: `service-${index % (count / SECRETS_PER_SERVICE)}`,
    },
    value: `${index}-`.padEnd(valueSize, 'x'),
  };
}

/** The name begins with random letters, so that names are not in the order of any index. */
function sampleName(index: number, count: number): string {
  const word = randomWord(index).replaceAll(MARKER, 'other');
  const isMarked = index % (count / MARKED) === 0;
  return `${isMarked ? MARKER + word.slice(MARKER.length) : word}-${index}`;
}

/** Returns the same for the same seed: the high bits of a linear congruential generator (Numerical Recipes). */
function randomWord(seed: number): string {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0;
  let word = '';
  while (word.length < WORD_LENGTH) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    word += LETTERS[Math.floor((state / 2 ** 32) * LETTERS.length)];
  }
  return word;
}

export function secretPath({ name, environment }: Pick<SampleSecret, 'name' | 'environment'>): string {
  return `/v1/secrets/${name}?env=${environment}`;
}
