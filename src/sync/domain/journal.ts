/** What can take back a change. */
interface Changed {
  /** @param before what stood under `key`; undefined if nothing did */
  restore(key: unknown, before: unknown): void;
}

/**
 * Remembers what was changed, and takes it back, the last first. Side by side, not as an object for each change: a push
 * makes six for each of its operations, and takes back hardly any.
 */
export class Journal {
  private readonly changed: Changed[] = [];
  private readonly keys: unknown[] = [];
  private readonly befores: unknown[] = [];

  /** To be called before the change is made. */
  note(changed: Changed, key?: unknown, before?: unknown): void {
    this.changed.push(changed);
    this.keys.push(key);
    this.befores.push(before);
  }

  /** Where to roll back to. */
  savepoint(): number {
    return this.changed.length;
  }

  rollBack(savepoint: number): void {
    while (this.changed.length > savepoint) {
      this.changed.pop()?.restore(this.keys.pop(), this.befores.pop());
    }
  }
}

/** A map that was read, with what is changed on top of it. */
export class JournaledMap<K, V extends object | string | number | boolean | null> {
  /** Made when the first change is: a push changes three of the dozen maps that it may change. */
  private changes: Map<K, V> | undefined;

  constructor(
    private readonly before: ReadonlyMap<K, V>,
    private readonly journal: Journal,
  ) {}

  get(key: K): V | undefined {
    const changed = this.changes?.get(key);
    return changed === undefined ? this.before.get(key) : changed;
  }

  set(key: K, value: V): void {
    this.changes ??= new Map();
    this.journal.note(this, key, this.changes.get(key));
    this.changes.set(key, value);
  }

  restore(key: K, before: V | undefined): void {
    if (before === undefined) this.changes?.delete(key);
    else this.changes?.set(key, before);
  }

  /** What differs from what was read. */
  get changed(): ReadonlyMap<K, V> {
    return this.changes ?? (NOTHING as ReadonlyMap<K, V>);
  }
}

const NOTHING: ReadonlyMap<unknown, never> = new Map<unknown, never>();

/** A list that only grows. */
export class JournaledList<T> {
  readonly items: T[] = [];

  constructor(private readonly journal: Journal) {}

  push(item: T): void {
    this.journal.note(this);
    this.items.push(item);
  }

  restore(): void {
    this.items.pop();
  }
}

/** One value that changes. */
export class JournaledValue<T> {
  constructor(
    private value: T,
    private readonly journal: Journal,
  ) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    this.journal.note(this, undefined, this.value);
    this.value = value;
  }

  restore(_key: unknown, before: T): void {
    this.value = before;
  }
}
