/** Lets one at a time work under a name; others wait for their turn. */
export interface Locks {
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Within one process. In Node that is enough: LevelDB lets no second process open the store. */
export class ProcessLocks implements Locks {
  private readonly last = new Map<string, Promise<unknown>>();

  async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(name) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.catch(() => undefined);
    this.last.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.last.get(name) === settled) this.last.delete(name);
    }
  }
}

/** What of the Web Locks API is used. */
interface LockManager {
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Across the tabs and workers of one origin: they share an IndexedDB store. A tab that dies gives its locks back. */
export class WebLocks implements Locks {
  constructor(private readonly manager: LockManager) {}

  exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.manager.request(name, work);
  }
}

export function defaultLocks(): Locks {
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } };
  return navigator?.locks ? new WebLocks(navigator.locks) : new ProcessLocks();
}
