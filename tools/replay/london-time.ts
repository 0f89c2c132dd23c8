/** March and October, as `Date.UTC` counts months. */
const SUMMER_BEGINS_IN = 2;
const SUMMER_ENDS_IN = 9;

/**
 * The instant of a wall clock in the United Kingdom, ISO 8601 UTC. Summer time lasts from 01:00 UTC of the last Sunday of
 * March to 01:00 UTC of the last Sunday of October; of the hour that comes twice, the first is meant.
 * @param localTime `YYYY-MM-DD HH:MM:SS`
 */
export function londonToUtc(localTime: string): string {
  const asIfUtc = Date.parse(`${localTime.replace(' ', 'T')}Z`);
  const year = new Date(asIfUtc).getUTCFullYear();
  const isSummer =
    asIfUtc >= lastSunday(year, SUMMER_BEGINS_IN) + HOUR_MS && asIfUtc < lastSunday(year, SUMMER_ENDS_IN) + 2 * HOUR_MS;
  return new Date(isSummer ? asIfUtc - HOUR_MS : asIfUtc).toISOString();
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Midnight UTC of the last Sunday of a month, in milliseconds. */
function lastSunday(year: number, month: number): number {
  const lastDay = Date.UTC(year, month + 1, 0);
  return lastDay - new Date(lastDay).getUTCDay() * DAY_MS;
}
