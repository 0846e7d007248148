/** The lists of requests that the loads go through. */
import type { Daemon } from './daemon.ts';
import type { Request } from './request.ts';
import { sampleSecret, secretPath } from './sample-secrets.ts';
import type { Filling } from './vaults.ts';

/** The same for every vault, so that a longer list costs the load nothing that a shorter one would not. */
const RANDOM_REQUESTS = 100_000;

/** A GET of the vault's first secret. */
export function getOne({ token }: Daemon, { count, valueSize }: Filling): Request {
  return { method: 'GET', path: secretPath(sampleSecret(0, count, valueSize)), token };
}

/** GETs of random secrets of the whole vault. */
export function getRandom({ token }: Daemon, { count, valueSize }: Filling): Request[] {
  return Array.from({ length: RANDOM_REQUESTS }, () => {
    const secret = sampleSecret(Math.floor(Math.random() * count), count, valueSize);
    return { method: 'GET', path: secretPath(secret), token };
  });
}

/** PUTs in turn to so many secrets that the vault was not filled with. */
export function putInTurn({ token }: Daemon, secrets: number, valueSize: number): Request[] {
  const body = JSON.stringify({ value: 'x'.repeat(valueSize) });
  return Array.from({ length: secrets }, (_, index) => {
    return { method: 'PUT', path: `/v1/secrets/put-${index}?env=stage-0`, token, body };
  });
}
