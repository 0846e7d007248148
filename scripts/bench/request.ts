/** A request, and its bytes. */

export interface Request {
  readonly method: string;
  readonly path: string;
  /** Absent: the request is not authenticated. */
  readonly token?: string;
  readonly body?: string;
}

export function encodeRequest({ method, path, token, body }: Request): string {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${authorization}${length}`;
  return `${head}\r\n${body ?? ''}`;
}
