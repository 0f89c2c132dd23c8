/** Remembers how to take back what was changed, the last first. */
export class Journal {
  private readonly steps: (() => void)[] = [];

  /** @param takeBack must undo a change that was just made. */
  note(takeBack: () => void): void {
    this.steps.push(takeBack);
  }

  /** Where to roll back to. */
  savepoint(): number {
    return this.steps.length;
  }

  rollBack(savepoint: number): void {
    for (const takeBack of this.steps.splice(savepoint).reverse()) takeBack();
  }
}

/** A map that was read, with what is changed on top of it. */
export class JournaledMap<K, V> {
  private readonly changes = new Map<K, V>();

  constructor(
    private readonly before: ReadonlyMap<K, V>,
    private readonly journal: Journal,
  ) {}

  get(key: K): V | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.before.get(key);
  }

  set(key: K, value: V): void {
    const changed = this.changes.has(key);
    const previous = this.changes.get(key) as V;
    this.changes.set(key, value);
    this.journal.note(() => {
      if (changed) this.changes.set(key, previous);
      else this.changes.delete(key);
    });
  }

  /** What differs from what was read. */
  get changed(): ReadonlyMap<K, V> {
    return this.changes;
  }
}

/** A list that only grows. */
export class JournaledList<T> {
  readonly items: T[] = [];

  constructor(private readonly journal: Journal) {}

  push(item: T): void {
    this.items.push(item);
    this.journal.note(() => this.items.pop());
  }
}
