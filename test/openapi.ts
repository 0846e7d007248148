/** The OpenAPI document: it is current and whole, and has every route with its errors. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { renderDocument } from '../scripts/openapi.ts';
import { STATUS_OF } from '../src/http/errors.ts';
import { routes } from '../src/routes.ts';
import {
  document,
  follow,
  isBytes,
  membersOf,
  type Node,
  operations,
  resolve,
  scopeOf,
} from './fixtures/openapi-document.ts';

const FILE = new URL('../src/http/openapi.json', import.meta.url);
const METHODS = ['get', 'put', 'patch', 'post', 'delete'];

t.test('openapi.json > compared with its sources > current; if not: npm run openapi', async (t) => {
  t.ok(readFileSync(FILE, 'utf8') === renderDocument());
});

t.test('openapi.json > compared with the route table > every route and nothing else', async (t) => {
  const described = operations.map(({ path, method, operation }) => ({
    operation: operation.operationId,
    method: method.toUpperCase(),
    path: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    scope: scopeOf(operation),
    query: operation.parameters
      .filter((parameter) => parameter.in === 'query')
      .map((parameter) => parameter.name),
    inPath: operation.parameters
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => parameter.name),
    body:
      operation.requestBody === undefined ? 'none' : operation.requestBody.required ? 'required' : 'optional',
    bytes: isBytes(operation.requestBody?.content)
      ? 'body'
      : isBytes(Object.values(operation.responses)[0]?.content)
        ? 'response'
        : undefined,
    success: Object.keys(operation.responses)[0],
  }));
  const expected = routes.map(({ operation, method, path, scope, query, body, bytes, success }) => {
    const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter);
    return {
      operation,
      method,
      path,
      scope,
      query: [...query],
      inPath,
      body,
      bytes,
      success: String(success),
    };
  });
  const byOperation = (a: { operation: string }, b: { operation: string }) =>
    a.operation < b.operation ? -1 : 1;
  t.strictSame(described.sort(byOperation), expected.sort(byOperation));
  t.ok(operations.every(({ method }) => METHODS.includes(method)));
  t.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, operations.length);
});

t.test('openapi.json > its references and components > all resolve, all are used', async (t) => {
  t.doesNotThrow(() => resolve(document));
  const used = new Set(JSON.stringify(document).match(/#\/components\/\w+\/[\w-]+/g));
  for (const kind of ['schemas', 'parameters', 'headers', 'responses']) {
    for (const component of Object.keys(membersOf(follow(`#/components/${kind}`)))) {
      t.ok(used.has(`#/components/${kind}/${component}`), `${kind}/${component}`);
    }
  }
});

/** What can be wrong with any request. */
const ANY_REQUEST = ['400', '405', '408', '431', '500'];

t.test(
  'openapi.json > the errors of each operation > those that it can have, and every one somewhere',
  async (t) => {
    const statuses = new Set<string>(Object.values(STATUS_OF).map(String));
    const described = new Set<string>();
    for (const { operation } of operations) {
      const [, ...errors] = Object.keys(operation.responses);
      const numbered = errors.filter((status) => status !== 'default');
      t.strictSame(
        numbered.filter((status) => !statuses.has(status)),
        [],
        `${operation.operationId} has no other ones`,
      );
      const expected = scopeOf(operation) === null ? ANY_REQUEST : [...ANY_REQUEST, '401', '403', '503'];
      t.ok(
        expected.every((status) => numbered.includes(status)),
        `${operation.operationId} has those of any request`,
      );
      for (const status of numbered) described.add(status);
    }
    t.strictSame(described, statuses);
  },
);

/** What stands under a member of this name, however deep. */
function findMembers(node: Node, name: string): Node[] {
  if (Array.isArray(node)) return node.flatMap((child) => findMembers(child, name));
  return Object.entries(membersOf(node)).flatMap(([member, child]) => [
    ...(member === name ? [child] : []),
    ...findMembers(child, name),
  ]);
}

t.test('openapi.json > metadata in requests > any JSON object, as in answers', async (t) => {
  const requests = operations.map(({ operation }) => (operation.requestBody ?? null) as unknown as Node);
  const found = findMembers(requests, 'metadata');
  t.equal(found.length, 4, 'put, patch, import and generate');
  for (const schema of found) t.match(schema, { type: 'object', additionalProperties: true });
});

t.test('openapi.json > defaults > in words, as generators would ask for what has one', async (t) => {
  for (const { operation } of operations) {
    const { parameters, requestBody = null } = operation;
    t.strictSame(findMembers([parameters, requestBody] as unknown as Node, 'default'), []);
  }
});
