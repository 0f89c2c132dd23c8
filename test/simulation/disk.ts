import { MemoryLevel } from 'memory-level';
import type { Database } from '../../client/src/index.js';
import type { Activity } from './activity.js';

/** Dies at one of its calls to the disk. */
export interface Crash {
  /** The how manieth from now on… */
  readonly call: number;
  /** …of all, or of those that write. */
  readonly of: 'CALLS' | 'WRITES';
  /** Whether the disk does what it is called for, or not even that. */
  readonly isDone: boolean;
}

/** An app that runs on the device, until it dies: then none of its calls returns any more. */
export class App {
  private crash: Crash | undefined;
  private seen = 0;
  private calls = 0;
  private isDead = false;
  private isWatched = false;

  get isAlive(): boolean {
    return !this.isDead;
  }

  /** Calls to the disk, up to now. */
  get age(): number {
    return this.calls;
  }

  /** @param crash undefined: never */
  crashSoon(crash: Crash | undefined): void {
    this.crash = crash;
    this.seen = 0;
  }

  /** Nothing that it does meanwhile counts. */
  async undisturbed<T>(work: () => Promise<T>): Promise<T> {
    this.isWatched = true;
    return work().finally(() => (this.isWatched = false));
  }

  /** The moment before a call to the disk, or after it. @returns whether it survives that */
  survives(moment: 'BEFORE' | 'AFTER', isWrite: boolean): boolean {
    if (this.isWatched) return true;
    if (moment === 'BEFORE') this.calls += 1;
    if (!this.crash || (this.crash.of === 'WRITES' && !isWrite)) return this.isAlive;
    if (moment === 'BEFORE') this.seen += 1;
    if (this.seen === this.crash.call && this.crash.isDone === (moment === 'AFTER')) this.isDead = true;
    return this.isAlive;
  }
}

/** A device's disk. It outlives the app. */
export class Disk {
  private readonly level = new MemoryLevel<string, unknown>();

  constructor(private readonly activity: Activity) {}

  /** As the app sees it. */
  of(app: App): Database {
    const { level } = this;
    const call = async <T>(work: () => Promise<T>, isWrite = false): Promise<T> => {
      this.activity.sign();
      if (!app.survives('BEFORE', isWrite)) return never();
      const result = await work();
      this.activity.sign();
      return app.survives('AFTER', isWrite) ? result : never();
    };
    const calls = {
      open: () => level.open(),
      close: () => Promise.resolve(),
      getMany: (keys: string[], options: object) => call(() => level.getMany(keys, options)),
      batch: (operations: [], options: object) => call(() => level.batch(operations, options), true),
      clear: (options: object) => call(() => level.clear(options), true),
      async *iterator(options: object) {
        const rows = level.iterator(options);
        for (let row = await call(() => rows.next()); row; row = await call(() => rows.next())) yield row;
      },
    };
    return calls as unknown as Database;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
