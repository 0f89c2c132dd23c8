/** Who takes something long, part by part. */
export interface Receiver<Part> {
  /** Resolves when it is ready for the next part; rejects if it takes no more. */
  receive(part: Part): Promise<void>;
  /** That was the last part. Resolves when it has taken all of them, at a pace of its own; rejects as `receive`. */
  end(): Promise<void>;
  /** It gets no more: what it waits for and what it is sent from now on rejects with `reason`. */
  cutOff(reason: Error): void;
}
