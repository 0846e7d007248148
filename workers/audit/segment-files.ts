/** The files of segments, in the folder `audit` beside vault.db. They hold names and no values, so they are plain text. */
import {
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolders, syncFolder } from '../files/folders.ts';

const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o700;
const NAME = /^([0-9]{8,})\.jsonl$/;
const DIGITS = 8;

export function locateLog(vaultDirectory: string): string {
  return join(vaultDirectory, 'audit');
}

export function locateSegment(folder: string, id: number): string {
  return join(folder, `${String(id).padStart(DIGITS, '0')}.jsonl`);
}

/** Returns the ids of the segments whose files are there, the lowest first; none if there is no folder. */
export function listSegmentFiles(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .filter(Number.isSafeInteger)
    .sort((a, b) => a - b);
}

/** Makes the folder and an empty file in it. Returns its descriptor. Throws if there is such a file. */
export function createSegmentFile(folder: string, id: number): number {
  makeFolders(folder, FOLDER_MODE);
  const descriptor = openSync(locateSegment(folder, id), 'wx+', OWNER_ONLY);
  syncFolder(folder);
  return descriptor;
}

/** Returns a descriptor for reading and writing; null if there is no such file. */
export function openSegmentFile(folder: string, id: number): number | null {
  try {
    return openSync(locateSegment(folder, id), 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Returns the bytes from `start` to `end`; fewer if the file ends before. */
export function readPart(descriptor: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(descriptor, bytes, filled, bytes.length - filled, start + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

/** Returns the bytes from `from` to the end of the file; none if it is shorter. */
export function readFrom(descriptor: number, from: number): Buffer {
  return readPart(descriptor, from, Math.max(from, fstatSync(descriptor).size));
}

/** Writes all of the bytes, at a place in the file. After an error a part of them may be there. */
export function writeAt(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; )
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
}

/** Cuts off what lies after `size`. */
export function cutOff(descriptor: number, size: number): void {
  if (fstatSync(descriptor).size > size) ftruncateSync(descriptor, size);
}

export function removeSegmentFile(folder: string, id: number): void {
  rmSync(locateSegment(folder, id), { force: true });
}

/** Puts the file of a segment aside, where no segment is looked for. Returns its new path; null if there is no such file. */
export function setSegmentAside(folder: string, id: number): string | null {
  const path = locateSegment(folder, id);
  try {
    renameSync(path, `${path}.forgotten`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  syncFolder(folder);
  return `${path}.forgotten`;
}

export function removeLog(vaultDirectory: string): void {
  rmSync(locateLog(vaultDirectory), { recursive: true, force: true });
}
