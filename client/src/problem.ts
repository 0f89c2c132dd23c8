import type { FieldError, Problem } from './wire.js';

/** A request that failed, or was refused as a whole. Nothing is lost: what waited still waits. */
export class SyncError extends Error {
  override readonly name = 'SyncError';

  /**
   * @param code the server's (docs/errors.md), or NETWORK: no answer, or half of one; BAD_ANSWER: one that is not the
   *   protocol's; ABORTED: by the app
   * @param status of HTTP; undefined if there was no answer
   * @param retryAfterMs how long the server wants to be left alone
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status?: number,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  static ofProblem(problem: Partial<Problem>, status: number, retryAfterMs?: number): SyncError {
    const code = problem.code ?? (status >= 500 ? 'UNAVAILABLE' : 'BAD_ANSWER');
    return new SyncError(
      code,
      problem.detail ?? problem.title ?? `The server answered ${status}.`,
      status,
      retryAfterMs,
    );
  }
}

/** What the app wanted to record can't be a valid entry: nothing was recorded. */
export class InvalidEntryError extends Error {
  override readonly name = 'InvalidEntryError';

  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ path, message }) => `${path} ${message}`).join('; '));
  }
}

/** The store can't be used: it is another device's, made by a newer version, or open already. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
