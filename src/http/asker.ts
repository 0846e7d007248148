/** Names the process at the other end of a connection, for the workers and the owner. */
import type { Socket } from 'node:net';
import type { Asker } from '../../workers/messages.ts';
import type { PeerCredentials } from '../system/peer-credentials.ts';

/** Returns the JSON of an Asker; null where the kernel does not say who connected. Costs some 20 microseconds. */
export type FindAsker = (socket: Socket) => string | null;

export function createFindAsker(credentials: PeerCredentials | null): FindAsker {
  return (socket) => {
    const peer = credentials?.findPeer(socket) ?? null;
    if (credentials === null || peer === null) return null;
    const { userId: uid, pid } = peer;
    const program = pid === null ? null : credentials.findProgram(pid);
    return JSON.stringify({ uid, pid, program } satisfies Asker);
  };
}
