/** A clock that only the simulation moves. All of the process lives by it: clients, servers, tokens. */
export class VirtualTime {
  private readonly timers = new Map<number, { readonly at: number; readonly work: () => void }>();
  private nextTimer = 1;

  constructor(private milliseconds: number) {}

  now(): number {
    return this.milliseconds;
  }

  setTimer(ms: number, work: () => void): () => void {
    const id = this.nextTimer++;
    this.timers.set(id, { at: this.milliseconds + ms, work });
    return () => {
      this.timers.delete(id);
    };
  }

  /** Timers that become due go off, in the order of their time. */
  advance(ms: number): void {
    this.milliseconds += ms;
    const due = [...this.timers].filter(([, { at }]) => at <= this.milliseconds).sort(([, a], [, b]) => a.at - b.at);
    for (const [id, { work }] of due) {
      if (this.timers.delete(id)) work();
    }
  }

  /** Makes `Date` tell this time. @returns what makes it tell the real one again */
  govern(): () => void {
    const RealDate = globalThis.Date;
    const now = (): number => this.milliseconds;
    class VirtualDate extends RealDate {
      constructor(...given: unknown[]) {
        super(...((given.length === 0 ? [now()] : given) as [number]));
      }

      static override now(): number {
        return now();
      }
    }
    globalThis.Date = VirtualDate as DateConstructor;
    return () => {
      globalThis.Date = RealDate;
    };
  }
}
