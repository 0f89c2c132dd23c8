import type { OutboxEntry } from './entry.js';
import { groupOf } from './entry.js';

export interface BatchLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/** Takes entries as they come, until no more of them fit in one push. A group goes whole, however large, or waits. */
export class Batch {
  private readonly whole: OutboxEntry[] = [];
  private group: OutboxEntry[] = [];
  private bytes = 0;

  constructor(private readonly limits: BatchLimits) {}

  /** @returns whether another may follow */
  add(entry: OutboxEntry): boolean {
    const group = groupOf(entry);
    const [first] = this.group;
    if (first && (group === undefined || groupOf(first) !== group) && !this.closeGroup()) return false;
    this.group.push(entry);
    return true;
  }

  /** Those that go in one push, in order. */
  close(): readonly OutboxEntry[] {
    this.closeGroup();
    return this.whole;
  }

  /** @returns whether it fitted */
  private closeGroup(): boolean {
    const bytes = this.group.reduce((sum, entry) => sum + entry.bytes, 0);
    const count = this.whole.length + this.group.length;
    const fits = count <= this.limits.entriesMax && this.bytes + bytes <= this.limits.bytesMax;
    if (this.whole.length > 0 && !fits) {
      this.group = [];
      return false;
    }
    this.whole.push(...this.group);
    this.bytes += bytes;
    this.group = [];
    return this.whole.length < this.limits.entriesMax && this.bytes < this.limits.bytesMax;
  }
}
