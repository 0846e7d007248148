/** Signs the rows of tokens again, and wraps the keys of the audit log's segments again. */
import { rewrapSegmentKey } from '../audit/segment-keys.ts';
import { openIfGenuine } from '../envelope/integrity.ts';
import { readWrap } from '../envelope/wrap.ts';
import type { OpenVault } from '../open-vault.ts';
import { isGenuine, signTokenRow } from '../tokens/token-macs.ts';

/** Runs inside a transaction. A row that fails verification stays as it is, because a rotation must not make it genuine. */
export function rewrapOthers({ tokens, segmentRows, keyring }: OpenVault): void {
  const isOld = (id: Uint8Array) => Buffer.compare(id, keyring.current.id) !== 0;
  for (const row of tokens.list().filter(({ kekId }) => isOld(kekId))) {
    if (!isGenuine(keyring, row)) continue;
    const { kekId, mac } = signTokenRow(keyring, row);
    tokens.updateMac(row.id, kekId, mac);
  }
  for (const row of segmentRows.listSegments()) {
    // What was changed is for verifying the log to find.
    const wrappedKey = openIfGenuine(() =>
      isOld(readWrap(row.wrappedKey).keyId) ? rewrapSegmentKey(keyring, row, row) : null,
    );
    if (wrappedKey !== null) segmentRows.updateSegment({ ...row, wrappedKey });
  }
}
