const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** 02:00 on the `nth` Sunday of a month, 0 to 11, as wall time. */
function sunday(year: number, month: number, nth: number): number {
  const first = Date.UTC(year, month, 1, 2);
  const wait = (7 - new Date(first).getUTCDay()) % 7;
  return first + (wait + (nth - 1) * 7) * DAY_MS;
}

/**
 * Whether summer time is in force in the United States and Canada: second Sunday of March to first Sunday of November,
 * 02:00 by the clock then in force (Energy Policy Act of 2005, section 110). `standard`: standard wall time, ms.
 */
export function isUsSummer(standard: number): boolean {
  const year = new Date(standard).getUTCFullYear();
  return standard >= sunday(year, 2, 2) && standard < sunday(year, 10, 1) - HOUR_MS;
}
