import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { responseClock, skewOf } from "./response-clock.ts";

describe("the clock of responses", () => {
  it.each([
    ["a date within the second", 10_000, 10_300, 10_500, 0],
    ["a slow response", 10_000, 10_300, 60_000, 0],
    ["a request that took long to be dated", 40_000, 10_300, 60_000, 0],
    ["a machine that is 20 s ahead", 10_000, 30_000, 30_500, 19_000],
    ["a machine that is 20 s behind", 50_000, 30_000, 30_000, -20_000],
  ])("%s", (_name, date, sentAt, receivedAt, skew) => expect(skewOf(date, sentAt, receivedAt)).toBe(skew));

  it("looks at the responses of a real client", async () => {
    let ahead = 0;
    const server = createServer((_request, response) => {
      response.setHeader("date", new Date(Date.now() + ahead).toUTCString());
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end('{"TableNames":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    const clock = responseClock();
    clock.observe(client);
    await client.send(new ListTablesCommand({}));
    expect(clock.isRight).toBe(true);
    ahead = 60_000;
    await client.send(new ListTablesCommand({}));
    expect(clock.isRight).toBe(false);
    expect(clock.skewMs).toBeLessThan(-57_000);
    ahead = 0;
    await client.send(new ListTablesCommand({}));
    expect(clock.isRight).toBe(true);
    client.destroy();
    server.close();
  });
});
