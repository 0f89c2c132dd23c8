import { ProblemError } from '../problems/problem.js';

/** What all downloads of this process may take on the disk. */
const BYTES_MAX = 4 * 1024 ** 3;
/** More than a business has devices that take a snapshot at the same time. */
const OF_OWNER_MAX = 16;

interface Share {
  open: number;
  bytes: number;
}

/** The room there is for spools, and how much of it each owner has: never more than half, however many it opens. */
export class SpoolSpace {
  private readonly shares = new Map<string, Share>();
  private bytes = 0;

  constructor(private readonly bytesMax = BYTES_MAX) {}

  /** @throws ProblemError TOO_MANY_STREAMS if the owner has as many open as it may. */
  enter(owner: string): Place {
    const share = this.shares.get(owner) ?? { open: 0, bytes: 0 };
    if (share.open >= OF_OWNER_MAX) throw new ProblemError('TOO_MANY_STREAMS');
    share.open += 1;
    this.shares.set(owner, share);
    let [own, left] = [0, false];
    return {
      take: (bytes) => {
        if (share.bytes + bytes > this.bytesMax / 2 || this.bytes + bytes > this.bytesMax)
          throw new ProblemError('TOO_MANY_STREAMS', {
            detail: 'Downloads that nobody takes have filled the disk’s share.',
          });
        own += bytes;
        share.bytes += bytes;
        this.bytes += bytes;
      },
      leave: () => {
        if (left) return;
        left = true;
        share.open -= 1;
        share.bytes -= own;
        this.bytes -= own;
        if (share.open === 0) this.shares.delete(owner);
      },
    };
  }
}

/** What one spool takes of the room. */
export interface Place {
  /** @throws ProblemError TOO_MANY_STREAMS if there is no room for `bytes` more. */
  take(bytes: number): void;
  /** Gives back all that was taken. */
  leave(): void;
}
