import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoMailboxes } from "../../functions/adapters/dynamo-mailboxes.ts";
import { JobId } from "../../shared/jobs/job.ts";
import {
  changeMailbox,
  MAILS_MAX,
  type Mail,
  type Mailboxes,
  memoryMailboxes,
  withMail,
  withoutMail,
} from "../../shared/jobs/mailbox.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const T0 = Date.UTC(2026, 10, 2, 12);
const METER = MeterId.parse("GAS-1");
const mailOf = (letter: string, deadline = T0 + 1_000): Mail => ({
  jobId: JobId.parse(letter.repeat(26)),
  part: 0,
  lane: "urgent",
  deadline,
});

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

describe.each([
  { name: "in memory", made: (): Mailboxes => memoryMailboxes() },
  { name: "on DynamoDB", made: (): Mailboxes => dynamoMailboxes(dynamo.db, "Ledger") },
])("mailboxes, $name", ({ name, made }) => {
  let slots = name === "in memory" ? 0 : 100;
  const world = () => {
    const boxes = made();
    const place = { segment: 7, slot: slots++ };
    const change = (edit: Parameters<typeof changeMailbox>[4], now = T0, meterId = METER) =>
      changeMailbox(boxes, place, meterId, now, edit);
    return {
      boxes,
      place,
      change,
      jobs: async () => (await boxes.read(place, METER)).mails.map(({ jobId }) => jobId[0]),
    };
  };

  it("hold a mail once a job, what was sent with it, and no more than fit", async () => {
    const { change, jobs, boxes, place } = world();
    await change(withMail(mailOf("a")));
    await change(withMail(mailOf("a")));
    expect(await jobs()).toEqual(["a"]);
    const sent = { invocationId: 7, at: T0, profile: { name: "gas-module-us", version: 1 } };
    await change((mails) => mails.map((mail) => ({ ...mail, sent })));
    expect((await boxes.read(place, METER)).mails).toEqual([{ ...mailOf("a"), sent }]);
    for (const letter of "bcdefghij") await change(withMail(mailOf(letter)));
    expect(await jobs()).toHaveLength(MAILS_MAX);
    await change(withoutMail(mailOf("a").jobId));
    expect(await jobs()).toEqual([..."bcdefgh"]);
  });

  it("lose what is past its deadline with the next change", async () => {
    const { change, jobs } = world();
    await change(withMail(mailOf("a", T0 + 10)));
    await change(withMail(mailOf("b")), T0 + 20);
    expect(await jobs()).toEqual(["b"]);
  });

  it("are written under the version that was read", async () => {
    const { boxes, place } = world();
    const read = await boxes.read(place, METER);
    expect(await boxes.write(place, { ...read, mails: [mailOf("a")] })).toBe(true);
    expect(await boxes.write(place, { ...read, mails: [mailOf("b")] })).toBe(false);
  });

  it("are empty for the next meter in the slot", async () => {
    const { boxes, change, place } = world();
    await change(withMail(mailOf("a")));
    const next = MeterId.parse("GAS-2");
    expect((await boxes.read(place, next)).mails).toEqual([]);
    await change(withMail(mailOf("b")), T0, next);
    expect((await boxes.read(place, next)).mails.map(({ jobId }) => jobId[0])).toEqual(["b"]);
  });
});
