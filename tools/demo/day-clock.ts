const MINUTE_MS = 60_000;

/** The times of the day that is played. Its evening is now: tills may look back, and never ahead. */
export class DayClock {
  /** @param evening the time of that day that `now` stands for, as `HH:MM` */
  constructor(
    private readonly now: Date,
    private readonly evening: string,
  ) {}

  /** @param time as `HH:MM`, before the evening */
  instantOf(time: string): Date {
    return new Date(this.now.valueOf() - (minutesOf(this.evening) - minutesOf(time)) * MINUTE_MS);
  }
}

/** The time that a clock shows which is so many minutes ahead. */
export function shownBy(minutesFast: number, time: string): string {
  const minutes = minutesOf(time) + minutesFast;
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

function minutesOf(time: string): number {
  const [hours = NaN, minutes = NaN] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
