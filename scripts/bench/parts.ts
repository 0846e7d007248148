/** The parts of the benchmark, in the order in which they run and stand in the table. */
import type { Bench } from './context.ts';
import { measureBatchGet } from './parts/batch-get.ts';
import { measureCpu } from './parts/cpu.ts';
import { measureGetLatency, measureGetThroughput } from './parts/get.ts';
import { measureGetAtScale } from './parts/get-at-scale.ts';
import { measureGetStart } from './parts/get-start.ts';
import { measureGrowth } from './parts/growth.ts';
import { measureHistory } from './parts/history.ts';
import { measureImport } from './parts/import.ts';
import { measureListStream } from './parts/list-stream.ts';
import { measureListPages, measureSearch } from './parts/lists.ts';
import { measureMemory } from './parts/memory.ts';
import { measurePutDuringReads } from './parts/put-during-reads.ts';
import { measurePutThroughput } from './parts/put-throughput.ts';
import { measureRecords } from './parts/records.ts';
import { measureServeStart } from './parts/serve-start.ts';
import { measureSteps } from './parts/steps.ts';
import { measureTerminalList } from './parts/terminal-list.ts';
import { measureTokens } from './parts/tokens.ts';
import type { Row } from './row.ts';

export const PARTS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  'get-throughput': measureGetThroughput,
  'get-latency': measureGetLatency,
  'put-throughput': measurePutThroughput,
  cpu: measureCpu,
  'put-during-reads': measurePutDuringReads,
  'batch-get': measureBatchGet,
  'get-at-scale': measureGetAtScale,
  'list-pages': measureListPages,
  search: measureSearch,
  'list-stream': measureListStream,
  tokens: measureTokens,
  memory: measureMemory,
  'serve-start': measureServeStart,
  'get-start': measureGetStart,
  'terminal-list': measureTerminalList,
  import: measureImport,
  history: measureHistory,
  records: measureRecords,
  steps: measureSteps,
  growth: measureGrowth,
};
