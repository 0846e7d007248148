/** Takes the draft of a backup out of the vault's folder: what arrives is what the vault signed, byte for byte, or nothing. */
import { closeSync, constants, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BackupDraft } from '../../client/types.ts';
import { syncFolder } from '../../system/sync.ts';
import { CliError, EXIT } from '../run/failure.ts';
import { PrivateFile } from '../transfer/output-file.ts';
import type { BackupHead } from './backup-head.ts';
import { copyPieces } from './copy-pieces.ts';

/** Writes the backup to `path`. Throws CliError, and then nothing new is there. */
export function writeBackup(path: string, draft: BackupDraft, head: BackupHead): void {
  const file = new PrivateFile(path);
  try {
    file.write(`${draft.head}\n${draft.mac}\n`);
    const copied = copyDraft(draft.file, (piece) => file.write(piece));
    if (copied.sha256 !== head.sha256 || copied.bytes !== head.bytes)
      throw new CliError(EXIT.failed, `${draft.file} is not what the vault made; nothing was written`);
    file.commit();
    syncFolder(dirname(path));
  } finally {
    file.discard();
  }
}

function copyDraft(path: string, write: (piece: Uint8Array) => void): ReturnType<typeof copyPieces> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return copyPieces(fd, 0, write);
  } finally {
    closeSync(fd);
  }
}
