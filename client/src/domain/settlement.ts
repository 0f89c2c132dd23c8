import type { EntryResult } from '../wire.js';

/** What the answer to a push makes of an entry. */
export type Settlement =
  /** In the log, or in its product's or payment's state: what it did is confirmed by the pull that reaches it. */
  | { readonly is: 'TAKEN'; readonly serverLamport: number }
  /** In the log without effect, or older than what stands: what the device shows goes back at once. */
  | { readonly is: 'WITHOUT_EFFECT'; readonly serverLamport: number | null }
  /** It leaves no trace at the server. */
  | { readonly is: 'REJECTED' };

export function settlementOf(result: EntryResult): Settlement {
  const serverLamport = result.server_lamport;
  switch (result.status) {
    case 'accepted':
      return taken(serverLamport);
    case 'duplicate': {
      const { original } = result;
      const at = original?.server_lamport ?? serverLamport;
      // What was held then may have been released since: then that comes with a pull, like all that others did.
      return original?.status === 'conflict' ? { is: 'WITHOUT_EFFECT', serverLamport: at } : taken(at);
    }
    case 'conflict':
    case 'ignored':
      return { is: 'WITHOUT_EFFECT', serverLamport };
    case 'rejected':
      return { is: 'REJECTED' };
  }
}

function taken(serverLamport: number | null): Settlement {
  return serverLamport === null ? { is: 'WITHOUT_EFFECT', serverLamport } : { is: 'TAKEN', serverLamport };
}
