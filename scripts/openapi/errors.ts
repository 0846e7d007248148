/** What each status of an error means, by hand. */
import type { HeaderName } from './parameters.ts';

/** Descriptions of the operations' errors, by status. */
export const ERRORS: Readonly<Record<number, { meaning: string; headers?: readonly HeaderName[] }>> = {
  400: { meaning: 'The request is not what this endpoint takes; nothing was stored' },
  401: {
    meaning:
      'The token is missing, malformed, unknown, expired or revoked; after many wrong tokens this answer comes up to 5 s later',
    headers: ['WWW-Authenticate'],
  },
  403: {
    meaning: 'The token does not have the scope, or (`not_approved`) the owner did not approve the request',
  },
  404: { meaning: 'The secret, field, token or approval does not exist' },
  405: { meaning: 'The path takes other methods', headers: ['Allow'] },
  408: { meaning: 'The request took too long to arrive' },
  409: { meaning: 'A secret with the new name exists, or this is under way already; nothing was changed' },
  410: { meaning: 'That version is not kept any more' },
  412: { meaning: 'A secret is not as If-Match or If-None-Match expects' },
  413: {
    meaning:
      'The body is larger than 1 MiB, or than this endpoint takes; the entry would have more than 1,000 fields or 8 MiB (`member` names the cause); or the answer would be too large',
  },
  431: { meaning: 'The headers are larger than 16 KiB' },
  500: { meaning: 'The stored data fails verification, or something unforeseen happened' },
  503: {
    meaning: 'The vault is sealed, too many requests are waiting, or clients hold too much memory',
    headers: ['Retry-After'],
  },
  507: { meaning: 'The disk is full; nothing was stored' },
};
