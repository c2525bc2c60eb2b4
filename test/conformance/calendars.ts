import { TariffCalendar } from "../../shared/metering/tariff-calendar.ts";

/** Summer and winter, three tiers on working days, one on Sundays, and Christmas as a Sunday. */
export const CALENDAR: TariffCalendar = TariffCalendar.parse({
  name: "RES-7",
  seasons: [
    { name: "SUMMER", from: { month: 4, day: 1 }, week: "WARM" },
    { name: "WINTER", from: { month: 11, day: 1 }, week: "COLD" },
  ],
  weeks: [
    { name: "WARM", days: [1, 1, 1, 1, 1, 3, 3] },
    { name: "COLD", days: [2, 2, 2, 2, 2, 3, 3] },
  ],
  days: [
    {
      day: 1,
      switches: [
        { minute: 0, tier: 1 },
        { minute: 420, tier: 2 },
        { minute: 1320, tier: 1 },
      ],
    },
    {
      day: 2,
      switches: [
        { minute: 0, tier: 1 },
        { minute: 360, tier: 2 },
        { minute: 1020, tier: 3 },
        { minute: 1200, tier: 2 },
        { minute: 1320, tier: 1 },
      ],
    },
    { day: 3, switches: [{ minute: 0, tier: 1 }] },
  ],
  specialDays: [
    { month: 12, day: 25, dayId: 3 },
    { year: 2026, month: 12, day: 31, dayId: 3 },
  ],
});
