/** Where paths lie. Holds no secret. */
import { relative } from 'node:path';

/** Whether `path` is the folder or lies in it. Both are real paths: absolute and without links. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith('../'));
}
