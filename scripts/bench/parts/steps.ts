/**
 * Where the microseconds of a GET go: runs each step by itself, in this process, on a vault of its own. A whole request takes
 * longer than the sum of its steps, because of wake-ups between them, cold caches and the garbage collector.
 */

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { hashToken, Principals } from '../../../src/auth/principals.ts';
import { matchRoute } from '../../../src/http/router.ts';
import { parseKnownVault } from '../../../src/places/known-vaults.ts';
import { decodeResult, encodeBatch } from '../../../src/pool/flat-batch.ts';
import { type PoolOptions, Pools } from '../../../src/pool/pools.ts';
import { NO_MAC } from '../../../workers/audit/chain.ts';
import type { BatchLog } from '../../../workers/audit/writing/batch-log.ts';
import { OpenSegment } from '../../../workers/audit/writing/open-segment.ts';
import { Recorder } from '../../../workers/audit/writing/recorder.ts';
import { secretPlace } from '../../../workers/entries/places.ts';
import { writeEntry } from '../../../workers/entries/write-entry.ts';
import { encodeContext } from '../../../workers/envelope/context.ts';
import { asDek } from '../../../workers/envelope/keys.ts';
import { decryptPayload, plaintextSize } from '../../../workers/envelope/payload.ts';
import { digestRow } from '../../../workers/envelope/row-digest.ts';
import { KEY_SIZE } from '../../../workers/envelope/sizes.ts';
import { unwrapKey } from '../../../workers/envelope/wrap.ts';
import { decodeBatch, encodeResult } from '../../../workers/flat-batch.ts';
import { ReplyBuffer } from '../../../workers/json/reply.ts';
import { nowSeconds } from '../../../workers/json/times.ts';
import type { Call, FlatBatch, FlatResult, KnownVault, Reply } from '../../../workers/messages.ts';
import type { WritableVault } from '../../../workers/open-vault.ts';
import { readBatch } from '../../../workers/reading.ts';
import type { SecretRow } from '../../../workers/store/columns.ts';
import { Vault } from '../../../workers/vault.ts';
import type { Bench } from '../context.ts';
import type { Row } from '../row.ts';

interface Step {
  readonly name: string;
  /** The median. */
  readonly us: number;
}

const VALUE_SIZE = 1_000;
/** Calls in one batch, as 64 connections make them. */
const BATCH_SIZE = 13;

/** Number of runs of a step that are timed as one sample, and number of samples. */
const RUNS = 200;
const SAMPLES = 60;
const SECRET: Call = {
  operation: 'secrets.get',
  params: { name: 'database-password', env: 'prod' },
  body: null,
  mayReplace: true,
};
const TOKEN = `mvt_${'5e'.repeat(32)}`;

export async function measureSteps(bench: Bench): Promise<Row[]> {
  const folder = mkdtempSync(join(bench.folder, 'steps-'));
  const steps = await measureIn(folder);
  return steps.map(({ name, us }) => ({
    what: `step: ${name}`,
    measured: `${us.toFixed(us < 10 ? 1 : 0)} us`,
    figure: null,
  }));
}

async function measureIn(folder: string): Promise<Step[]> {
  const home = join(folder, 'vault');
  mkdirSync(home, { mode: 0o700 });
  const toMake: PoolOptions = {
    databasePath: join(home, 'vault.db'),
    known: null,
    knownVaultsPath: join(folder, 'known', 'known-vaults.json'),
    passphraseFile: null,
    credentialsDirectory: null,
    keychainTimeoutMs: 1_000,
    mayBeTraced: false,
    readers: 1,
  };
  const options = { ...toMake, known: await make(toMake, folder) };
  const pools = new Pools(options, () => {});
  try {
    await fill(pools);
    return [
      ...measureRequestThread(),
      measureMessages(),
      ...(await measureReader(options)),
      ...(await measureHop(pools)),
    ];
  } finally {
    await pools.close();
  }
}

async function make(options: PoolOptions, folder: string): Promise<KnownVault | null> {
  const pools = new Pools(options, () => {});
  const params = { key_store: 'file', key_file: `${folder}/vault.key` };
  const made = await pools.control({ operation: 'vault.init', params, body: null, mayReplace: true });
  await pools.close();
  return made.ok ? parseKnownVault(JSON.parse(Buffer.from(made.body).toString()).known) : null;
}

async function fill(pools: Pools): Promise<void> {
  const none = { params: {}, body: null, mayReplace: true };
  const answers = [
    await pools.control({ ...none, operation: 'vault.unseal' }),
    await pools.run('writer', {
      ...SECRET,
      operation: 'secrets.put',
      body: new Uint8Array(
        Buffer.from(JSON.stringify({ value: 'x'.repeat(VALUE_SIZE), metadata: { owner: 'me' } })),
      ),
    }),
  ];
  const failed = answers.find(({ ok }) => !ok);
  if (failed !== undefined) throw new Error('the vault to measure could not be made');
}

function measureRequestThread(): Step[] {
  const principals = new Principals(null);
  const row = { id: '0'.repeat(16), scopes: ['read'] as const, expiresAt: null, tokenHash: hashToken(TOKEN) };
  principals.apply({ kind: 'grant', row });
  return [
    step('route', () => matchRoute('GET', '/v1/secrets/database-password?env=prod')),
    step('authenticate', () => principals.authenticate(`Bearer ${TOKEN}`, Date.now())),
  ];
}

/** Measures what the messages of a request cost on both sides, without threads that sleep and wake. */
function measureMessages(): Step {
  const { port1, port2 } = new MessageChannel();
  const author = { id: '0'.repeat(16), isTrusted: false };
  const calls = Array.from({ length: BATCH_SIZE }, (): Call => ({ ...SECRET, mayReplace: true, author }));
  const replies = calls.map(
    (_, index): Reply => ({ ok: true, offset: index * 300, length: 300, etag: '123' }),
  );
  const receive = (port: MessagePort) => receiveMessageOnPort(port)?.message[1];
  const { name, us } = step(`messages there and back, ${BATCH_SIZE} at once`, () => {
    port1.postMessage([1, encodeBatch(calls)]);
    decodeBatch(receive(port2) as FlatBatch);
    const bytes = new Uint8Array(BATCH_SIZE * 300);
    port2.postMessage([1, encodeResult({ bytes, replies })], [bytes.buffer]);
    decodeResult(receive(port1) as FlatResult);
  });
  port1.close();
  return { name, us: us / BATCH_SIZE };
}

async function measureReader(options: PoolOptions): Promise<Step[]> {
  const { readers, ...rest } = options;
  const damage = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const longWork = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT);
  const auditTaken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const knownNow = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  const shared = { damage, longWork, auditTaken, knownNow };
  const vault = new Vault({ ...rest, ...shared, readers: readers ?? 1, startNumber: 1 }, 'reading');
  await vault.unseal();
  const open = await vault.getOpenVault();
  const { name = '', env: environment = '' } = SECRET.params;
  const row = open.secrets.find({ name, environment });
  if (row === null) throw new Error('the secret is not there');
  const batch = Array.from({ length: 16 }, () => SECRET);
  const recorder = new Recorder(logInto(join(dirname(options.databasePath), 'steps.jsonl')), vault);
  const whole = await stepAsync('all of it in the reader', batch.length, async () => {
    await readBatch(vault, batch, false, recorder);
  });
  return [
    step('SQLite', () => open.secrets.find({ name, environment })),
    ...measureOpening(open, row),
    whole,
  ];
}

/** An audit log without the writer, which would lend a segment. */
function logInto(path: string): BatchLog {
  const segment = new OpenSegment({ id: 1, openedAt: nowSeconds() }, openSync(path, 'w'), randomBytes(32), {
    bytes: 0,
    entries: 0,
    mac: NO_MAC,
  });
  return {
    isReady: () => true,
    prepare: async () => {},
    get nextEntry() {
      return segment.anchor.entries + 1;
    },
    append: (lines, entries) => segment.write(segment.prepare(lines, entries)),
  };
}

function measureOpening(open: WritableVault, row: SecretRow): Step[] {
  const { keyring } = open;
  const ctx = encodeContext({ ...secretPlace(row), vaultId: keyring.vaultId, version: row.version });
  const digest = () => digestRow({ ...row, fields: [] });
  const dek = asDek(new Uint8Array(KEY_SIZE));
  const unwrap = () => unwrapKey(keyring.current.kek, row.wrappedDek, ctx, digest(), dek);
  unwrap();
  const { payload } = row;
  if (payload === null) throw new Error('the secret has no value');
  const value = new Uint8Array(plaintextSize(payload));
  const opened = step('unwrap the DEK', unwrap);
  const payloadStep = step('open the payload', () => decryptPayload(dek, payload, ctx, value));
  const reply = new ReplyBuffer();
  const all = step('', () => {
    writeEntry(open, row, reply);
    reply.wipe();
  });
  return [
    opened,
    payloadStep,
    { name: 'context, JSON', us: Math.max(0, all.us - opened.us - payloadStep.us) },
  ];
}

async function measureHop(pools: Pools): Promise<Step[]> {
  const hop = (count: number) =>
    stepAsync(`there and back, ${count} at once`, count, async () => {
      await Promise.all(Array.from({ length: count }, () => pools.run('readers', { ...SECRET })));
    });
  return [await hop(1), await hop(16), await hop(64)];
}

function step(name: string, run: () => unknown): Step {
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const startedAt = performance.now();
    for (let at = 0; at < RUNS; at++) run();
    samples.push(((performance.now() - startedAt) * 1000) / RUNS);
  }
  return { name, us: median(samples) };
}

/** `count`: number of GETs in each run. */
async function stepAsync(name: string, count: number, run: () => Promise<void>): Promise<Step> {
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const startedAt = performance.now();
    for (let at = 0; at < RUNS; at += count) await run();
    samples.push(((performance.now() - startedAt) * 1000) / (Math.ceil(RUNS / count) * count));
  }
  return { name, us: median(samples) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
