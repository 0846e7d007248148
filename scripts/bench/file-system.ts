/** Names the file system of a folder, because how long a durable write takes depends on it. */
import { statfsSync } from 'node:fs';

/** statfs(2) on Linux. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs (in memory: syncs cost nothing)'],
]);

export function nameFileSystem(folder: string): string {
  const { type } = statfsSync(folder);
  return process.platform === 'linux' ? (NAMES.get(type) ?? `type 0x${type.toString(16)}`) : 'unknown';
}
