import { MemoryLevel } from 'memory-level';
import type { Database } from '../../client/src/index.js';
import type { Activity } from './activity.js';

/** Dies at one of its calls to the disk. */
export interface Crash {
  /** The how manieth from now on. */
  readonly call: number;
  /** Whether the disk does what it is called for, or not even that. */
  readonly isDone: boolean;
}

/** An app that runs on the device, until it dies: then none of its calls returns any more. */
export class App {
  private left = Infinity;
  private isDone = false;
  private isDead = false;
  private isWatched = false;

  get isAlive(): boolean {
    return !this.isDead;
  }

  crashSoon({ call, isDone }: Crash): void {
    this.left = call;
    this.isDone = isDone;
  }

  crashNever(): void {
    this.left = Infinity;
  }

  /** Nothing that it does meanwhile counts. */
  async undisturbed<T>(work: () => Promise<T>): Promise<T> {
    this.isWatched = true;
    return work().finally(() => (this.isWatched = false));
  }

  /** The moment before a call to the disk, or after it. @returns whether it survives that */
  survives(moment: 'BEFORE' | 'AFTER'): boolean {
    if (this.isWatched) return true;
    if (moment === 'BEFORE') this.left -= 1;
    if (this.left === 0 && this.isDone === (moment === 'AFTER')) this.isDead = true;
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
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      this.activity.sign();
      if (!app.survives('BEFORE')) return never();
      const result = await work();
      this.activity.sign();
      return app.survives('AFTER') ? result : never();
    };
    const calls = {
      open: () => level.open(),
      close: () => Promise.resolve(),
      getMany: (keys: string[], options: object) => call(() => level.getMany(keys, options)),
      batch: (operations: [], options: object) => call(() => level.batch(operations, options)),
      clear: (options: object) => call(() => level.clear(options)),
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
