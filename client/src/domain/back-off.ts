const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;

/**
 * How long to wait before the next try: full jitter, so that forty tills that lost the same network don't come back in the
 * same second (Brooker, "Exponential Backoff And Jitter", AWS 2015).
 * @param failures in a row, at least 1
 * @param random from 0 to 1
 * @param retryAfterMs what the server asked for: never less than that
 */
export function backOffMs(failures: number, random: number, retryAfterMs = 0): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(30, failures - 1));
  return Math.round(retryAfterMs + random * longest);
}
