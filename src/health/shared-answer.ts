/** What is found out once for all who ask within a moment: whoever asks a thousand times a second makes no more work. */
export class SharedAnswer<T> {
  private answer: Promise<T> | undefined;
  private askedAt = -Infinity;

  /** @param keptMs how old an answer may be; one that is still being found out is shared in any case */
  constructor(
    private readonly findOut: () => Promise<T>,
    private readonly keptMs: number,
  ) {}

  get(): Promise<T> {
    if (this.answer === undefined || performance.now() - this.askedAt > this.keptMs) {
      this.askedAt = Infinity;
      this.answer = this.findOut().finally(() => {
        this.askedAt = performance.now();
      });
    }
    return this.answer;
  }
}
