import { SingleBar } from 'cli-progress';

/** Where nobody watches, a line now and then does. */
const PLAIN_LINE_EVERY_MS = 10_000;

/** A bar on standard error, or plain lines if that is no terminal. Standard output is for the result. */
export class Progress {
  private readonly bar: SingleBar;

  /** @param total of `unit`s */
  constructor(title: string, total: number, unit: string) {
    this.bar = new SingleBar({
      format: `${title.padEnd(8)} {bar} {percentage}% | {value}/{total} ${unit} | {duration_formatted}`,
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: PLAIN_LINE_EVERY_MS,
      barsize: 30,
      // The tool itself handles signals.
      gracefulExit: false,
      hideCursor: false,
    });
    this.bar.start(total, 0);
  }

  update(value: number): void {
    this.bar.update(value);
  }

  stop(): void {
    this.bar.stop();
  }
}
