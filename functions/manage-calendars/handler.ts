import { documentClient } from "../adapters/document-client.ts";
import { dynamoCalendars } from "../adapters/dynamo-named.ts";
import { dynamoSchedules } from "../adapters/dynamo-schedules.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

const env = settings({ LEDGER_TABLE: Setting });
const db = documentClient();
const calendars = dynamoCalendars(db, env.LEDGER_TABLE);
const schedules = dynamoSchedules(db, env.LEDGER_TABLE);

const unknown = (calendar: string) =>
  refuse("not-found", `There is no calendar ${calendar}.`, {
    field: "calendar",
    expected: "the name of a calendar",
    received: calendar,
  });

export const handler = httpHandler({
  listCalendars: async () => ({ status: 200, body: { calendars: [...(await calendars.list())] } }),
  async readCalendar({ params: { calendar } }) {
    const found = await calendars.read(calendar);
    return found === undefined ? unknown(calendar) : { status: 200, body: found };
  },
  async putCalendar({ params: { calendar: name }, body }) {
    const calendar = { ...body, name };
    await calendars.put(calendar);
    return { status: 200, body: calendar };
  },
  async deleteCalendar({ params: { calendar } }) {
    if ((await calendars.read(calendar)) === undefined) return unknown(calendar);
    const user = (await schedules.list()).find(({ blackouts }) => blackouts?.calendars.includes(calendar));
    if (user !== undefined)
      return refuse("conflict", `Schedule ${user.scheduleId} names the calendar.`, {
        field: "calendar",
        expected: "a calendar that no schedule names",
        received: calendar,
      });
    await calendars.remove(calendar);
    return { status: 204 };
  },
});
