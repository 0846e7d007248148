/**
 * What the closed daemon's request thread keeps of permissions that it gives up before it loads any dependency but SQLite
 * (first.cts): the calls of the C library that it makes later. What is left here does what its methods say and no more.
 */

import { HELD_CREDENTIALS, PeerCredentials } from '../system/peer-credentials.ts';
import { HELD_LIBC, Libc } from './libc.ts';
import { loadSqlite } from './ownership.ts';

for (const [name, value] of [
  [HELD_LIBC, Libc.open()],
  [HELD_CREDENTIALS, PeerCredentials.open()],
] as const)
  Object.defineProperty(globalThis, name, { value });
loadSqlite();
