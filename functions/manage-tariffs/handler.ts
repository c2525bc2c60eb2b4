import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { STANDINGS, type Standing, standing } from "../../shared/pricing/meter-tariffs.ts";
import { calendarDigest, sameContent, type Tariff } from "../../shared/pricing/tariff.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoMeterTariffs } from "../adapters/dynamo-meter-tariffs.ts";
import { dynamoTariffVersions } from "../adapters/dynamo-named.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const tariffs = dynamoTariffVersions(db, env.LEDGER_TABLE);
const meterTariffs = dynamoMeterTariffs(db, env.READINGS_TABLE);

const unknown = (tariffId: string, version: number) =>
  refuse("not-found", `There is no version ${version} of tariff ${tariffId}.`, {
    field: "version",
    expected: "a version that was made",
    received: String(version),
  });

export const handler = httpHandler({
  listTariffVersions: async () => ({ status: 200, body: { tariffs: [...(await tariffs.list())] } }),
  async readTariffVersion({ params: { tariffId, version } }) {
    const found = await tariffs.read(tariffId, version);
    return found === undefined ? unknown(tariffId, version) : { status: 200, body: found };
  },
  async putTariffVersion({ params: { tariffId, version }, body, caller: { id, name } }) {
    const tariff: Tariff = {
      tariffId,
      version,
      content: body,
      digest: calendarDigest(nodeCrypto, body.calendar),
      createdAt: systemClock.now(),
      by: { id, ...(name === undefined ? {} : { name }) },
    };
    if ((await tariffs.create(tariff)) === "created") return { status: 201, body: tariff };
    const found = await tariffs.read(tariffId, version);
    if (found !== undefined && sameContent(found.content, body)) return { status: 200, body: found };
    return refuse("conflict", "This version says something else, and never changes.", {
      field: "version",
      expected: "the next version",
      received: String(version),
    });
  },
  async reportTariff({ params: { tariffId, version }, query }) {
    const tariff = await tariffs.read(tariffId, version);
    if (tariff === undefined) return unknown(tariffId, version);
    const now = systemClock.now();
    const { facts, cursor } = await meterTariffs.page(query.limit, query.cursor);
    const counts = Object.fromEntries(STANDINGS.map((one) => [one, 0])) as Record<Standing, number>;
    const meters = facts.flatMap((fact) => {
      const { meterId, shown, seenAt, ordered } = fact;
      if (ordered?.digest !== tariff.digest && shown.active.digest !== tariff.digest) return [];
      const stands = standing(fact, tariff.digest, now);
      counts[stands] += 1;
      if (query.standing !== undefined && query.standing !== stands) return [];
      return [{ meterId, standing: stands, shown, seenAt, ...(ordered === undefined ? {} : { jobId: ordered.jobId }) }];
    });
    return {
      status: 200,
      body: { digest: tariff.digest, asOf: now, counts, meters, ...(cursor === undefined ? {} : { cursor }) },
    };
  },
});
