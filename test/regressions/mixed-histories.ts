import { deviceId, groupId } from '../support/arbitraries.js';
import {
  aMixedPush,
  aProductEdit,
  aProductEntry,
  type MixedHistory,
  type MixedPush,
} from '../support/state-arbitraries.js';

const pushed = (...of: Parameters<typeof aMixedPush>): MixedPush => ({
  command: aMixedPush(...of),
  clockSkewMs: null,
  lastPulledLamport: null,
});
const late = aProductEdit({ deviceId: deviceId(2), clientLamport: 0, said: { name: 'Milk' } });

/** Histories of all kinds that once broke a law of decidePush, shrunk; each is replayed before any new one. */
export const MIXED_HISTORIES: readonly MixedHistory[] = [
  // An edit that came too late, twice in one push, entered its conflict into the log twice under one id.
  [pushed([aProductEdit()]), pushed([late, late], { deviceId: deviceId(2) })],
  // An edit that the same push had recorded before was GROUP_REJECTED with a group that it also stood in.
  [
    pushed([
      aProductEdit(),
      aProductEntry(aProductEdit(), { groupId: groupId(1) }),
      aProductEntry(aProductEdit({ clientLamport: 2, said: {}, deviceId: deviceId(2) }), { groupId: groupId(1) }),
    ]),
  ],
];
