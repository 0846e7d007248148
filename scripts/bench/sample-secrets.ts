/**
 * The secrets that vaults are filled with: the same kind of names, environments and metadata whatever the vault's size,
 * so that two vaults differ in nothing else. Each comes of its index alone; a million need not be kept.
 */

export interface SampleSecret {
  readonly name: string;
  readonly environment: string;
  readonly metadata: { readonly team: string; readonly service: string };
  readonly value: string;
}

/** In the names of ten secrets of a vault, whatever its size, and nowhere else. */
export const MARKER = 'lodge';
export const MARKED = 10;
/** Without hyphens and digits: any three letters of the marker stand in about as many names as any other three. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const WORD_LENGTH = 10;

/** As many as make a full page of a thousand secrets. */
const ENVIRONMENTS = 10;
const TEAMS = 10;
/** How many secrets have the same service, whatever the vault's size: one page. */
const SECRETS_PER_SERVICE = 100;

export const ENVIRONMENT = 'stage-3';
export const TEAM = 'team-3';
export const SERVICE = 'service-3';

/** `count`: how many there are in all, a multiple of 1,000. */
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

/** Random letters first, so that names do not come in the order of any index. */
function sampleName(index: number, count: number): string {
  const word = randomWord(index).replaceAll(MARKER, 'other');
  const isMarked = index % (count / MARKED) === 0;
  return `${isMarked ? MARKER + word.slice(MARKER.length) : word}-${index}`;
}

/** The same for the same seed: steps of a linear congruential generator (Numerical Recipes), the high bits used. */
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
