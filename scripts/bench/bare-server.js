/**
 * The reference for reading: a bare node:http server on a Unix socket. It answers every request with the same bytes and headers.
 * Arguments: the socket's path, and a file with `{"headers": [name, value, …], "body": base64}`.
 *
 * JavaScript, as the built daemon is. From TypeScript it would keep Node's stripper of types, some 20 MB, in its memory.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [socketPath = '', answerPath = ''] = process.argv.slice(2);
const answer = JSON.parse(readFileSync(answerPath, 'utf8'));
const body = Buffer.from(answer.body, 'base64');

createServer((_request, response) => {
  response.writeHead(200, answer.headers);
  response.end(body);
}).listen(socketPath, () => process.stdout.write('listening\n'));

process.once('SIGTERM', () => process.exit(0));
