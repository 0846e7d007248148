/** Finds the route of a method and a request target, and decodes the parameters. */
import FindMyWay from 'find-my-way';
import { type Method, type Route, routes } from '../routes.ts';
import { HttpError } from './errors.ts';

/** Characters. Longer than any valid name when percent-encoded, so that a name that is too long gets a 400, not a 404. */
const MAX_PARAM_LENGTH = 16_384;
const METHODS: readonly Method[] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'];

export interface Match {
  readonly route: Route;
  /** Path and query parameters together: their names never overlap. */
  readonly params: Record<string, string>;
}

const router = FindMyWay({ maxParamLength: MAX_PARAM_LENGTH });
for (const route of routes) router.on(route.method, route.path, () => {}, route);

/** Throws HttpError: 404 for an unknown path, 405 for another method, 400 for a target that cannot be decoded. */
export function matchRoute(method: string, target: string): Match {
  if (method === 'CONNECT') throw new HttpError('bad_request', 'this server is no proxy');
  // A request target has no fragment (RFC 9112 section 3.2), but the router would end the path before it.
  if (target.includes('#')) throw new HttpError('bad_request', 'the path has a #; write it as %23');
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  // HEAD wherever there is GET (RFC 9110 section 9.3.2). The router finds nothing for a method that no route has.
  const found = router.find(method === 'HEAD' ? 'GET' : (method as Method), path);
  if (found === null) throw explainNoMatch(path);
  const route: Route = found.store;
  const params = found.params as Record<string, string>;
  if (at >= 0) parseQuery(target.slice(at + 1), route.query, params);
  return { route, params };
}

/** Returns whether the path needs no token, even if the method or the query is wrong. */
export function isOpenToAll(target: string): boolean {
  const found = router.find('GET', target.split('?', 1)[0] ?? '');
  return found !== null && (found.store as Route).scope === null;
}

function explainNoMatch(path: string): HttpError {
  if (decodePercent(path) === null)
    return new HttpError('bad_request', 'the path has a malformed percent escape');
  const allowed = METHODS.filter((method) => router.find(method, path) !== null);
  if (allowed.length === 0) return new HttpError('not_found', 'no such endpoint');
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return new HttpError('method_not_allowed', `this endpoint takes ${allow}`, ['Allow', allow]);
}

function decodePercent(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * Adds the parameters of the query to `params`. Unlike URLSearchParams, refuses a malformed escape, a parameter that is given twice and one that the route does not
 * have: each could make a request act on another secret than was meant.
 */
function parseQuery(query: string, known: readonly string[], params: Record<string, string>): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [name, value] = decodePair(pair);
    if (!known.includes(name)) throw new HttpError('bad_request', unknownParameter(known));
    if (name in params) throw new HttpError('bad_request', `the query parameter ${name} is given twice`);
    params[name] = value;
  }
}

function unknownParameter(known: readonly string[]): string {
  if (known.length === 0) return 'this endpoint takes no query parameters';
  return `unknown query parameter; this endpoint takes ${known.join(', ')}`;
}

function decodePair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  const decoded = [decodeForm(name), decodeForm(value)];
  if (decoded[0] === null || decoded[1] === null) {
    throw new HttpError('bad_request', 'the query has a malformed percent escape');
  }
  return decoded as [string, string];
}

/** Most parameters have nothing to decode. */
function decodeForm(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  return spaced.includes('%') ? decodePercent(spaced) : spaced;
}
