import { aPush, aRestock, aSale, groupId, operationId, type PushHistory } from '../support/arbitraries.js';

const once = (...entries: Parameters<typeof aPush>[0][number][]): PushHistory => [
  { command: aPush(entries), clockSkewMs: null },
];

/** Histories that once broke a law of decidePush, shrunk; each is replayed before any new one. */
export const PUSH_HISTORIES: readonly PushHistory[] = [
  // Answered LAMPORT_OUT_OF_RANGE, though the line before had taken the identity.
  once(aSale(), aSale({ clientLamport: 1_000_001 })),
  // Two entries of one identity, of which the one sent last is decided first, with its group, and refused by stock:
  // the identity, and the stock, are then the other's.
  once(
    aRestock(5, { operationId: operationId(1) }),
    aSale({ operationId: operationId(2), delta: 3, groupId: groupId(1) }),
    aSale({ operationId: operationId(3), delta: 5, paymentStatus: null }),
    aSale({ operationId: operationId(3), delta: 5, paymentStatus: null, groupId: groupId(1) }),
  ),
];
