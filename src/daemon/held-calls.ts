/**
 * Keeps the calls of the C library that the closed daemon's request thread makes later: it gives the permission for native
 * code up before it loads any dependency but SQLite (first.cts). The kept objects can do only what their methods do.
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
