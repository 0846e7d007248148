/** `fetch` over a Unix socket, for clients that take one of their own. */
import { request as httpRequest, type IncomingMessage } from 'node:http';

export function fetchOver(socketPath: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = Buffer.from(await request.arrayBuffer());
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        socketPath,
        method: request.method,
        path: pathname + search,
        headers: { ...Object.fromEntries(request.headers), 'Content-Length': String(body.length) },
        agent: false,
      };
      httpRequest(options, resolve).once('error', reject).end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk);
      // A stream of events does not end by itself: its beginning will do.
      if (incoming.headers['content-type'] === 'text/event-stream') break;
    }
    const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    return new Response(Buffer.concat(chunks), { status: incoming.statusCode ?? 0, headers });
  };
}
