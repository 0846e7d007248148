/** An authenticated request, and its bytes. */

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body?: string;
}

export function encodeRequest({ method, path, token, body }: Request): string {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${length}`;
  return `${head}\r\n${body ?? ''}`;
}
