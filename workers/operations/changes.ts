/**
 * The handler of changes: writes the recent ones as the events of a stream (WHATWG HTML section 9.2.5). Decrypts nothing. Only
 * the writer's thread knows them, so it runs there.
 */
import { getEnvironmentFilter } from '../bodies/parameters.ts';
import type { Handler } from '../calls.ts';
import { formatTime } from '../json/times.ts';
import type { ReadableVault } from '../open-vault.ts';
import type { RecentChange } from '../recent-changes.ts';

/** Events in one reply. */
const MAX_EVENTS = 100;

/**
 * Writes the events after the position `after`; without one, none: the stream then starts at the newest change. After a
 * position that nothing is known of comes the event `reset`. The cursor is the position that the events reach; ask again from there
 * until there are no more.
 */
export const listChanges: Handler<ReadableVault> = (vault, call, reply) => {
  const { changes, access } = vault;
  const environment = getEnvironmentFilter(call);
  const { after } = call.params;
  const known = after === undefined ? changes.newest : changes.parse(after);
  let position = known ?? changes.newest;
  if (known === null) reply.ascii(`event: reset\nid: ${changes.format(position)}\ndata: {}\n\n`);
  let count = 0;
  for (const [at, change] of changes.after(position)) {
    if (count === MAX_EVENTS) break;
    position = at;
    if (environment !== undefined && change.environment !== environment) continue;
    if (!access.allowsSecret(change)) continue;
    reply.raw(formatEvent(changes.format(at), change));
    count += 1;
  }
  return { cursor: changes.format(position) };
};

/** JSON has no line breaks, which would end the event's data. */
function formatEvent(id: string, { name, environment, version, change, ...by }: RecentChange): string {
  const member = { name, environment, version, change, written_by: by.writtenBy };
  const data = JSON.stringify({ ...member, changed_at: formatTime(by.changedAt) });
  return `event: change\nid: ${id}\ndata: ${data}\n\n`;
}
