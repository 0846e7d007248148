/** One request over the daemon's socket. Bytes in, bytes out; what they mean is the caller's business. */

/** By its built-in module object: a named import of node:http would load three times as much. */
const http = process.getBuiltinModule('node:http');

export interface Outgoing {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

export interface Response {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Rejects with Node's own error if the daemon cannot be reached or goes away. */
export function requestOverSocket(socketPath: string, token: string, outgoing: Outgoing): Promise<Response> {
  const { method, target: path, body } = outgoing;
  const headers = { Authorization: `Bearer ${token}`, 'Content-Length': body?.length ?? 0 };
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    request.once('error', reject);
    request.end(body ?? undefined);
  });
}
