/** Sends one request and reads its whole answer. Used where nothing is measured. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Request } from './request.ts';

export interface Answer {
  /** Names and values in turn, as they were received. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Throws Error unless the answer's status means success. */
export function exchange(socketPath: string, { method, path, token, body }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const outgoing = httpRequest({ agent, socketPath, method, path, headers }, (incoming) => {
      readAnswer(incoming).then(resolve, reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { statusCode = 0, rawHeaders } = incoming;
  if (statusCode >= 300) throw new Error(`the daemon answered ${statusCode}: ${body}`);
  return { rawHeaders, body };
}
