/** Calls who listens; and hands events to those who would rather await them. */
export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** @returns what ends it */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const own = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, own);
    own.add(listener);
    return () => own.delete(listener);
  }

  /** An error in one listener keeps no other, and no sync, from going on: it surfaces as unhandled. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) {
      void Promise.resolve(event as never).then(listener);
    }
  }

  /** Events from now on, none left out, until `signal` aborts or the loop is left. */
  async *watch<Name extends keyof Events>(name: Name, signal?: AbortSignal): AsyncGenerator<Events[Name]> {
    const heard: Events[Name][] = [];
    let wake = (): void => undefined;
    const onAbort = (): void => {
      wake();
    };
    const end = this.on(name, (event) => {
      heard.push(event);
      wake();
    });
    signal?.addEventListener('abort', onAbort);
    try {
      while (!signal?.aborted) {
        const next = heard.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      end();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
