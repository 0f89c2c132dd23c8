import { setImmediate as turn } from 'node:timers/promises';

/** Turns of the event loop without a sign of life, after which nobody works any more: streams take a few to wake up. */
const STILL_TURNS = 3;

/** Knows when all that clients do is done, or waits for the network or for a timer. */
export class Activity {
  private signs = 0;
  private outside = 0;

  /** Somebody used a disk, or the network. All else that a client does takes no turn of the event loop. */
  sign(): void {
    this.signs += 1;
  }

  /** Something that takes its time in the real world. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.outside += 1;
    return work.finally(() => {
      this.outside -= 1;
      this.sign();
    });
  }

  async rest(): Promise<void> {
    let seen = this.signs;
    for (let still = 0; still < STILL_TURNS; still += 1) {
      await turn();
      if (seen === this.signs && this.outside === 0) continue;
      seen = this.signs;
      still = -1;
    }
  }
}
