/**
 * A fuzzer of well-formed HTTP: JSON of fast-check's making, right, nearly right and wrong, to every route with every
 * method, on connections with several requests under way. Never an answer that the OpenAPI document does not declare,
 * never a 5xx but 503, never a hang, and afterwards everything still works.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { HttpError, STATUS_OF } from '../../src/http/errors.ts';
import { matchRoute } from '../../src/http/router.ts';
import type { Route } from '../../src/routes.ts';
import { fuzz, PATIENCE_MS, SEED, serveFuzzed, stillWorks } from '../fixtures/fuzz.ts';
import { everyMethod, type HttpCase, httpCases } from '../fixtures/http-cases.ts';
import {
  BrokenOffError,
  NotReachedError,
  PipelinedConnection,
  type Received,
} from '../fixtures/pipelined.ts';

t.setTimeout(590_000);
const CLIENTS = 12;
/** Requests of a connection that are under way at once. */
const AT_ONCE = 4;

const fuzzed = await serveFuzzed(t);
const { daemon, session } = fuzzed;
const TOKENS = { session, admin: daemon.admin, stranger: `mvt_${'5'.repeat(64)}`, nobody: '' } as const;

function encode({ method, target, headers, body, as }: HttpCase): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (as !== 'nobody') lines.push(`Authorization: Bearer ${TOKENS[as]}`);
  if (body !== null) lines.push(`Content-Length: ${body.length}`);
  const head = [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

const openapi = JSON.parse(readFileSync(new URL('../../src/http/openapi.json', import.meta.url), 'utf8'));
/** Of the command line's own routes, which the document does not have. */
const OWN_STATUSES = [200, 400, 401, 403, 409, 413, 503];
const NEVER = [500, 507];

/** The answers to a client without a valid token on an unknown path; a sealed vault cannot check tokens. */
const UNKNOWN_STATUSES: Readonly<Record<HttpCase['as'], readonly number[]>> = {
  session: [],
  admin: [503],
  nobody: [401],
  stranger: [401, 503],
};
/** These are for everybody, and say so. */
const IS_OPEN = /^\/v1\/(health|openapi\.json)(\?|$)/;

/** The statuses that the request may have. */
function statusesFor({ method, target, as }: HttpCase): readonly number[] {
  try {
    return declaredBy(matchRoute(method, target).route);
  } catch (error) {
    if (error instanceof HttpError) {
      const known = as === 'session' || as === 'admin' || IS_OPEN.test(target);
      return [
        ...(known ? [STATUS_OF[error.code]] : []),
        ...(IS_OPEN.test(target) ? [] : UNKNOWN_STATUSES[as]),
      ];
    }
    throw error;
  }
}

function declaredBy({ method, path }: Route): readonly number[] {
  const declared = openapi.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]?.responses;
  if (declared === undefined) return OWN_STATUSES;
  const statuses = Object.keys(declared)
    .filter((status) => status !== 'default')
    .map(Number);
  return statuses.filter((status) => !NEVER.includes(status));
}

/** What was wrong with an answer; null if nothing was. */
function findWrong(given: HttpCase, received: Received): string | null {
  const { status, headers } = received;
  if (!statusesFor(given).includes(status)) return `the status ${status}`;
  if (headers['cache-control'] !== 'no-store') return 'an answer that may be cached';
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(headers['x-request-id'] ?? '')) return 'no request id';
  if ((status === 401) !== (headers['www-authenticate'] === 'Bearer')) return `${status} and its challenge`;
  if ((status === 405) !== (headers.allow !== undefined)) return `${status} and Allow`;
  return given.method === 'HEAD' ? null : findWrongBody(given, received);
}

const CODES: Readonly<Record<string, number>> = STATUS_OF;

function findWrongBody({ method, target }: HttpCase, { status, headers, body }: Received): string | null {
  const isBytes = status < 300 && matchRoute(method, target).route.bytes === 'response';
  const type = isBytes ? 'application/octet-stream' : 'application/json';
  if (headers['content-type'] !== type) return `${status} of the type ${headers['content-type']}`;
  if (isBytes) return null;
  const json = JSON.parse(body.toString());
  if (status < 300) return typeof json === 'object' && json !== null ? null : 'neither an object nor a list';
  const { error, code, reason, problem, member, at, ...rest } = json;
  const isRight =
    typeof error === 'string' &&
    CODES[code] === status &&
    (reason === undefined || (typeof reason === 'string' && typeof problem === 'string')) &&
    (member === undefined || (typeof member === 'string' && status === 400)) &&
    (at === undefined || (isPlace(at) && status === 400)) &&
    Object.keys(rest).length === 0;
  return isRight ? null : `${status} with another body than an error has`;
}

/** Whether this names an item of a list, as `WrongItem` does. */
function isPlace({ list, index, problem, same_as: sameAs, ...rest }: Record<string, unknown>): boolean {
  const isSound = typeof list === 'string' && Number.isInteger(index) && typeof problem === 'string';
  return isSound && (sameAs === undefined || Number.isInteger(sameAs)) && Object.keys(rest).length === 0;
}

const show = ({ method, target, headers, body, as }: HttpCase) =>
  `${as}: ${method} ${target} ${JSON.stringify(headers)} ${JSON.stringify(Buffer.from(body ?? []).toString('latin1'))}`;

const idle: PipelinedConnection[] = [];
const answers = new Map<string, number>();

/** All of them on one connection, one behind the other. */
async function send(cases: readonly HttpCase[]): Promise<(string | null)[]> {
  const connection = idle.pop() ?? (await PipelinedConnection.open(daemon.socket));
  const timer = setTimeout(() => connection.close('no answer in time'), PATIENCE_MS);
  const requests = cases.map((given) => ({ method: given.method, bytes: encode(given) }));
  const received = connection.send(requests);
  const outcomes = await Promise.all(cases.map((given, index) => judge(given, received[index])));
  clearTimeout(timer);
  if (!connection.isOver) idle.push(connection);
  return outcomes;
}

/** Sealing cuts off the lists that are being answered, and what waits behind them on their connections. */
let brokenOff = 0;
const mayBreakOff = ({ target }: HttpCase) => /^\/v1\/(secrets|search)(\?|$)/.test(target);

/** What was wrong with what came, or did not come; null if nothing was. */
async function judge(given: HttpCase, answer: Promise<Received> | undefined): Promise<string | null> {
  try {
    const received = await answer;
    if (received === undefined) throw new RangeError('a case without an answer to wait for');
    note(given, received);
    const wrong = findWrong(given, received);
    if (received.status < 300) await undo(given, received);
    return wrong === null ? null : `${wrong}: ${show(given)}`;
  } catch (error) {
    if (error instanceof NotReachedError) return (await send([given]))[0] ?? null;
    if (!(error instanceof BrokenOffError) || !mayBreakOff(given))
      return `${(error as Error).message}: ${show(given)}`;
    brokenOff += 1;
    return null;
  }
}

function note({ route, method }: HttpCase, { status }: Received): void {
  const what = `${status} ${method === route.method && status < 300 ? route.operation : ''}`;
  answers.set(what, (answers.get(what) ?? 0) + 1);
}

/** Sealed, everything after it would be refused; and a list of thousands of tokens would take all the time. */
async function undo({ route, method }: HttpCase, { body }: Received): Promise<void> {
  if (method !== route.method) return;
  if (route.operation === 'vault.seal') await daemon.ask('POST', '/v1/unseal', { token: session });
  if (route.operation === 'tokens.create')
    await daemon.ask('DELETE', `/v1/tokens/${JSON.parse(body.toString()).id}`);
}

t.test('well-formed HTTP > every route with every method > answered as declared', async (t) => {
  const cases = everyMethod(SEED);
  const wrong: (string | null)[] = [];
  for (let at = 0; at < cases.length; at += AT_ONCE)
    wrong.push(...(await send(cases.slice(at, at + AT_ONCE))));
  t.comment(`figure: ${cases.length} pairs of a route and a method`);
  t.strictSame(
    wrong.filter((one) => one !== null),
    [],
  );
});

t.test('well-formed HTTP > any JSON to every route > answered as declared', async (t) => {
  await fuzz(t, httpCases(SEED), { clients: CLIENTS, atOnce: AT_ONCE }, send);
  const byStatus = Map.groupBy(answers, ([what]) => what.slice(0, 3));
  const sums = [...byStatus].map(
    ([status, all]) => `${status}: ${all.reduce((sum, [, times]) => sum + times, 0)}`,
  );
  t.comment(`figure: answers ${sums.sort().join(', ')}`);
  const succeeded = [...answers.keys()].filter((what) => /^2\d\d \w/.test(what));
  t.comment(`figure: ${succeeded.length} operations succeeded, of all but destroying`);
  for (const connection of idle) connection.close();
  await stillWorks(t, fuzzed);
  const cut = daemon.log().filter(({ status, code }) => status === 200 && code !== null);
  t.strictSame(
    [cut.length, cut.filter(({ code }) => code !== 'sealed')],
    [brokenOff, []],
    'lists cut off by a sealing',
  );
  t.comment(`figure: ${brokenOff} lists cut off because the vault was sealed meanwhile`);
});
