/** Several secrets that are named on one command line: by their names, or by references. */

import { describeSecret } from '../formats/describe-secret.ts';
import { isReference, readReference } from '../input/name-reference.ts';
import type { Input } from '../run/command.ts';
import { CliError, toCliError, usageError } from '../run/failure.ts';
import type { Wanted } from './missing.ts';

/** Returns each once, however often it was named. Throws CliError. */
export function readPlaces(input: Input): Wanted[] {
  const [env, field] = [input.text('env'), input.text('field')];
  const places = input.args.map((typed) =>
    isReference(typed)
      ? { field, ...readReference(typed, { env, field }) }
      : { name: typed, environment: input.environment, field },
  );
  return [...new Map(places.map((place) => [describePlace(place), place])).values()];
}

/** As readPlaces, for a command that takes no fields. */
export function readWholePlaces(input: Input): Wanted[] {
  const places = readPlaces(input);
  if (places.some(({ field }) => field !== undefined))
    throw usageError(`mav ${input.command} takes a whole secret, not one field of it; leave #… out`);
  return places;
}

export function describePlace({ name, environment, field }: Wanted): string {
  return describeSecret(name, environment, field);
}

export function describePlaces(places: readonly Wanted[]): string {
  return places.map(describePlace).join(', ');
}

/** Changes one after the other. If one fails, the error says which were `done` (such as "deleted") before it. */
export async function changeEach(
  places: readonly Wanted[],
  done: string,
  change: (place: Wanted) => Promise<unknown>,
): Promise<void> {
  for (const [at, place] of places.entries()) {
    try {
      await change(place);
    } catch (error) {
      if (at === 0) throw error;
      const { exitCode, message } = toCliError(error);
      throw new CliError(exitCode, `${message}; ${done} before that: ${describePlaces(places.slice(0, at))}`);
    }
  }
}
