import { pick } from './mapping.js';

/** A till stays offline, or online, for this many turns at least. */
const TURNS_TOGETHER = 3;

/** Whether a till is without signal in a turn: two of three stretches, by chance that is the same on every run. */
export function isOffline(tillName: string, turn: number): boolean {
  const stretch = Math.floor((turn + pick(`${tillName}, start`, TURNS_TOGETHER)) / TURNS_TOGETHER);
  return pick(`${tillName}, stretch ${stretch}`, 3) > 0;
}

/** Turns of file time: each begins with the first line after the end of the one before, so nights pass at once. */
export class Turns {
  private turn = -1;
  private endsAtMs = -Infinity;

  constructor(private readonly lengthMs: number) {}

  get current(): number {
    return this.turn;
  }

  /**
   * @param localTime of the next line
   * @returns whether a turn ended before it, so that tills may go online.
   */
  advanceTo(localTime: string): boolean {
    const atMs = Date.parse(`${localTime.replace(' ', 'T')}Z`);
    if (atMs < this.endsAtMs) return false;
    this.endsAtMs = atMs + this.lengthMs;
    this.turn += 1;
    return this.turn > 0;
  }
}
