/** Work that is asked for more often than it needs to be done, such as reading again what has changed. */
export class SharedRun {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly work: () => Promise<void>) {}

  /**
   * Resolves or rejects with a run that begins after this call: now, or, while one is under way, right after that one,
   * shared by all who ask meanwhile. So there is never more than one run, and one that waits.
   */
  request(): Promise<void> {
    if (this.next) return this.next;
    if (!this.running) return this.start();
    this.next = this.running
      .catch(() => undefined) // whoever asked for that one is told
      .then(() => {
        this.next = undefined;
        return this.start();
      });
    return this.next;
  }

  private start(): Promise<void> {
    this.running = this.work().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }
}
