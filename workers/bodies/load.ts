/** Loads the schemas of request bodies when they are needed. */
type Bodies = typeof import('./schemas.ts');

/**
 * zod takes longer to load than everything else here. The writer of a daemon loads it at its start, while it has nothing
 * else to do. The one thread of a short command loads it only for a body that needs it.
 */
let loading: Promise<Bodies> | null = null;

export function loadBodies(): Promise<Bodies> {
  loading ??= import('./schemas.ts');
  return loading;
}
