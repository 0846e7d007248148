/**
 * `mav accept`: what a token wrote may reach programs that `mav exec` and `mav env` hand it to unasked. It shows what that
 * is, and what is accepted is what was shown.
 */
import type { Client } from '../../client/client.ts';
import { describeSecret } from '../formats/describe-secret.ts';
import { isReference, readReference } from '../input/name-reference.ts';
import type { Input, Run } from '../run/command.ts';
import {
  CliError,
  EXIT,
  hasErrorCode,
  isPreconditionFailed,
  toCliError,
  usageError,
} from '../run/failure.ts';
import { confirm } from '../terminal/confirm.ts';
import { refuseToken, withVault } from '../vault/access.ts';
import { describeEntry, type LookedAt } from '../vault/looked-at.ts';
import type { Wanted } from '../vault/missing.ts';

export const run: Run = async (input) => {
  refuseToken(input, 'accept a secret');
  const places = readPlaces(input);
  // The vault is closed again while somebody thinks.
  const entries = await withVault(input, (client) => lookAt(input, client, places));
  const waiting = entries.filter(({ accepted }) => !accepted);
  if (waiting.length > 0) {
    await confirm(input, `Accept ${nameAll(waiting)}?`);
    await withVault(input, (client) => acceptEach(client, waiting));
  }
  reportAccepted(input, entries);
  return EXIT.done;
};

/** Each once, however often it was named. */
function readPlaces(input: Input): Wanted[] {
  const env = input.text('env');
  const places = input.args.map((typed) => {
    if (!isReference(typed)) return { name: typed, environment: input.environment };
    const { name, environment, field } = readReference(typed, { env, field: undefined });
    if (field !== undefined)
      throw usageError('mav accept takes a whole secret, not one field of it; leave #… out');
    return { name, environment };
  });
  return [...new Map(places.map((place) => [describeSecret(place.name, place.environment), place])).values()];
}

/** Shows the secrets that are not accepted yet. Throws CliError that names all that are missing. */
async function lookAt(input: Input, client: Client, places: readonly Wanted[]): Promise<LookedAt[]> {
  const entries: LookedAt[] = [];
  const missing: Wanted[] = [];
  for (const place of places) {
    try {
      entries.push(await client.getSecret(place.name, { environment: place.environment }));
    } catch (error) {
      if (hasErrorCode(error, 'integrity')) throw nameFailed(place, error);
      if (!hasErrorCode(error, 'not_found')) throw error;
      missing.push(place);
    }
  }
  if (missing.length > 0) {
    const { explainMissing } = await import('../vault/missing.ts');
    throw await explainMissing(input, client, missing);
  }
  const { context, flag } = input;
  const tokens = await client.listTokens();
  // What is asked about is shown though --quiet was given.
  const tell = flag('force') ? context.say : context.complain;
  for (const entry of entries)
    if (!entry.accepted) tell(describeEntry(entry, { tokens, showsValues: flag('reveal') }));
  return entries;
}

/** Sends one request for each. If one fails, the error says which secrets were accepted before it. */
async function acceptEach(client: Client, entries: readonly LookedAt[]): Promise<void> {
  for (const [at, { name, environment, etag }] of entries.entries()) {
    try {
      await client.acceptSecret(name, { environment, ifMatch: etag });
    } catch (error) {
      const { exitCode, message } = isOutrun(error)
        ? explainOutrun(name, environment)
        : nameFailed({ name, environment }, error);
      const done =
        at === 0 ? 'nothing was accepted' : `accepted before that: ${nameAll(entries.slice(0, at))}`;
      throw new CliError(exitCode, `${message}; ${done}`);
    }
  }
}

/** Whether the secret was written or deleted after it was shown. */
function isOutrun(error: unknown): boolean {
  return isPreconditionFailed(error) || hasErrorCode(error, 'not_found');
}

function explainOutrun(name: string, environment: string): CliError {
  const what = describeSecret(name, environment);
  return new CliError(EXIT.failed, `${what} was written or deleted after it was shown; look at it again`);
}

function nameFailed({ name, environment }: Wanted, error: unknown): CliError {
  const { exitCode, message } = toCliError(error);
  return new CliError(exitCode, `${describeSecret(name, environment)}: ${message}`);
}

function nameAll(entries: readonly LookedAt[]): string {
  return entries.map(({ name, environment }) => describeSecret(name, environment)).join(', ');
}

function reportAccepted({ context, output }: Input, entries: readonly LookedAt[]): void {
  const [done, before] = [false, true].map((was) => entries.filter(({ accepted }) => accepted === was));
  if (output === 'json') {
    const toPlace = ({ name, environment, written_by }: LookedAt) => ({ name, environment, written_by });
    context.printJson(JSON.stringify({ accepted: done?.map(toPlace), unchanged: before?.map(toPlace) }));
    return;
  }
  if (before?.length) context.say(`Nothing is left to accept in: ${nameAll(before)}.`);
  if (done?.length) context.say(`Accepted ${nameAll(done)}.`);
}
