/** From a method and a request target to a route of the table and its decoded parameters. */
import FindMyWay from 'find-my-way';
import { type Method, type Route, routes } from '../routes.ts';
import { HttpError } from './errors.ts';

/** Longer than any name in bytes, percent-encoded: a name that is too long is a 400 of its own, not a 404. */
const MAX_PARAM_LENGTH = 16_384;
const METHODS: readonly Method[] = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'];

export interface Match {
  readonly route: Route;
  /** Path and query parameters together: their names never overlap. */
  readonly params: Record<string, string>;
}

const router = FindMyWay({ maxParamLength: MAX_PARAM_LENGTH });
for (const route of routes) router.on(route.method, route.path, () => {}, route);

/** Throws HttpError: 404 for no such path, 405 for another method, 400 for what cannot be decoded. */
export function matchRoute(method: string, target: string): Match {
  if (method === 'CONNECT') throw new HttpError('bad_request', 'this server is no proxy');
  // No request target has a fragment (RFC 9112 section 3.2), and the router would take the path to end before it.
  if (target.includes('#')) throw new HttpError('bad_request', 'the path has a #; write it as %23');
  const { path, query } = splitTarget(target);
  // HEAD wherever there is GET (RFC 9110 section 9.3.2).
  const found = find(method === 'HEAD' ? 'GET' : (method as Method), path);
  if (found === null) throw explainNoMatch(path);
  const { route, params } = found;
  return { route, params: { ...params, ...parseQuery(query, route.query) } };
}

/** Returns whether the path is one that needs no token, whatever is wrong with the method or the query. */
export function isOpenToAll(target: string): boolean {
  return find('GET', splitTarget(target).path)?.route.scope === null;
}

function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

function find(method: Method, path: string): { route: Route; params: Record<string, string> } | null {
  const found = METHODS.includes(method) ? router.find(method, path) : null;
  if (found === null) return null;
  return { route: found.store as Route, params: found.params as Record<string, string> };
}

function explainNoMatch(path: string): HttpError {
  if (decode(path) === null) return new HttpError('bad_request', 'the path has a malformed percent escape');
  const allowed = METHODS.filter((method) => find(method, path) !== null);
  if (allowed.length === 0) return new HttpError('not_found', 'no such endpoint');
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return new HttpError('method_not_allowed', `this endpoint takes ${allow}`, ['Allow', allow]);
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * Strict where URLSearchParams is lenient: a malformed escape, a parameter given twice and one that the route does
 * not have are errors, because each could make a request act on another secret than was meant.
 */
function parseQuery(query: string, known: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [name, value] = decodePair(pair);
    if (!known.includes(name)) throw new HttpError('bad_request', unknownParameter(known));
    if (name in params) throw new HttpError('bad_request', `the query parameter ${name} is given twice`);
    params[name] = value;
  }
  return params;
}

function unknownParameter(known: readonly string[]): string {
  if (known.length === 0) return 'this endpoint takes no query parameters';
  return `unknown query parameter; this endpoint takes ${known.join(', ')}`;
}

function decodePair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  const decoded = [decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' '))];
  if (decoded[0] === null || decoded[1] === null) {
    throw new HttpError('bad_request', 'the query has a malformed percent escape');
  }
  return decoded as [string, string];
}
