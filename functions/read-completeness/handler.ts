import { DAY_MS, dayOf } from "../../shared/readings/day-block.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoDaySummaries } from "../adapters/dynamo-day-summaries.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ READINGS_TABLE: Setting });
const summaries = dynamoDaySummaries(documentClient(), env.READINGS_TABLE);
const DAYS = 31;

const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

export const handler = httpHandler({
  async listCompleteness({ query }) {
    const asOf = productClock.now();
    const to = query.to === undefined ? dayOf(asOf) : Date.parse(`${query.to}T00:00:00Z`);
    const from = query.from === undefined ? to - (DAYS - 1) * DAY_MS : Date.parse(`${query.from}T00:00:00Z`);
    const days = await summaries.list(from, to);
    return {
      status: 200,
      body: {
        asOf,
        days: days.flatMap(({ day, counted, nextAt, passes }) =>
          counted === undefined
            ? []
            : [
                {
                  day: dayText(day),
                  countedAt: counted.at,
                  ...counted.counts,
                  passes,
                  ...(nextAt === undefined ? {} : { nextAt }),
                },
              ],
        ),
      },
    };
  },
});
