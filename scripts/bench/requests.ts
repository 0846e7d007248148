/** The lists of requests that the loads send. */
import type { Daemon } from './daemon.ts';
import type { Request } from './request.ts';
import { sampleSecret, secretPath } from './sample-secrets.ts';
import type { Filling } from './vaults.ts';

/** Length of every list, whatever the vault's size, so that every list costs the load the same. */
const RANDOM_REQUESTS = 100_000;
/** More than a vault stores in a round. */
const RANDOM_PUTS = 20_000;

/** A GET of the vault's first secret. */
export function getOne({ token }: Daemon, { count, valueSize }: Filling): Request {
  return { method: 'GET', path: secretPath(sampleSecret(0, count, valueSize)), token };
}

/** Returns GETs of random secrets of the whole vault. */
export function getRandom({ token }: Daemon, { count, valueSize }: Filling): Request[] {
  return Array.from({ length: RANDOM_REQUESTS }, () => {
    const secret = sampleSecret(Math.floor(Math.random() * count), count, valueSize);
    return { method: 'GET', path: secretPath(secret), token };
  });
}

/** Returns PUTs of new values to random secrets of the whole vault. */
export function putRandom({ token }: Daemon, { count, valueSize }: Filling): Request[] {
  return Array.from({ length: RANDOM_PUTS }, (_, index) => {
    const secret = sampleSecret(Math.floor(Math.random() * count), count, valueSize);
    return { method: 'PUT', path: secretPath(secret), token, body: JSON.stringify({ value: `${index}` }) };
  });
}

/** Returns PUTs, in turn, to `count` secrets that are not among those that filled the vault. */
export function putInTurn({ token }: Daemon, secrets: number, valueSize: number): Request[] {
  const body = JSON.stringify({ value: 'x'.repeat(valueSize) });
  return Array.from({ length: secrets }, (_, index) => {
    return { method: 'PUT', path: `/v1/secrets/put-${index}?env=stage-0`, token, body };
  });
}
