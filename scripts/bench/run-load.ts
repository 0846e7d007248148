/** Starts the load (load.ts) with a list of requests. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadOptions, LoadResult } from './load.ts';
import { runProgram } from './processes.ts';
import { encodeRequest, type Request } from './request.ts';

export interface Load {
  readonly socketPath: string;
  readonly connections: number;
  readonly requests: readonly Request[];
  readonly status: number;
}

/** Writes the requests to a file in `folder`, once for all runs. */
export function prepareLoad(
  folder: string,
  { requests, ...rest }: Load,
): (durationMs: number) => Promise<LoadResult> {
  const requestsPath = join(folder, `requests-${randomUUID()}.json`);
  writeFileSync(requestsPath, JSON.stringify(requests.map(encodeRequest)));
  return (durationMs) => {
    const options: LoadOptions = { ...rest, requestsPath, durationMs };
    return runProgram('load.ts', options);
  };
}
