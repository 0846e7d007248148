/** What the daemon's check of the whole vault found, in a sentence. */
import type { ChangedRows } from '../../client/types.ts';
import { formatTime } from '../../text/format-time.ts';

export function describeChanged(changed: ChangedRows): string {
  const { found_at: at, tables, rows, audit_segments: segments, readable } = changed;
  const remedies = [
    ...(readable && tables.length === 0 ? [] : ['see mav verify, find out who wrote the file']),
    ...(segments.length === 0 ? [] : ['see mav audit verify']),
  ];
  const found = [
    ...(readable ? [] : ['what vault.db says of its own rows']),
    ...tables.map(({ table, more }) => `${table} (${describeCount(more)})`),
    ...rows,
    ...(segments.length === 0 ? [] : [`the audit log, segment ${segments.join(', ')}`]),
  ];
  return `without the key, found ${formatTime(at)}: ${found.join('; ')}; ${remedies.join('; ')}`;
}

function describeCount(more: number): string {
  if (more === 0) return 'rows exchanged';
  return more > 0 ? `${more} more` : `${-more} fewer`;
}
