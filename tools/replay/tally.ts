/** What happened so far, in all shops. */
export class Tally {
  /** Lines of the file that went by. */
  lines = 0;
  skipped = 0;
  /** Operations that were recorded at a till or in the back office; each is pushed at least once. */
  operations = 0;
  openings = 0;
  /** Cancellations that name the sale they take back. */
  references = 0;
  accepted = 0;
  duplicates = 0;
  rejected = 0;
  oversold = 0;
  batches = 0;
  batchesRepeated = 0;
}
