import { describe, expect, it } from "vitest";
import { LinkError } from "../ports/link.ts";
import { SessionError } from "./failure.ts";
import { pingMeter } from "./ping.ts";

const NOTHING = { registers: [], intervals: [], refusals: [] };
const pinged = (read: Parameters<typeof pingMeter>[2]) =>
  pingMeter(["tcp-accept", "module-answer"], "voltage.l1.line", read);

describe("a ping of the meter behind a module", () => {
  it("says so when it answers, and when it refuses", async () => {
    const answered = await pinged(async () => ({ answered: true, result: NOTHING }));
    expect(answered.evidence).toEqual(["tcp-accept", "module-answer", "meter-answer"]);
    const refused = await pinged(async () => ({ answered: false, result: NOTHING }));
    expect(refused.evidence).toEqual(["tcp-accept", "module-answer"]);
  });

  it("has the module alone for an answer where the meter stays silent", async () => {
    const silent = [new SessionError("timeout", "dlms.no-answer", "nothing"), new LinkError("link.timeout", "nothing")];
    for (const error of silent)
      expect(await pinged(() => Promise.reject(error))).toMatchObject({
        evidence: ["tcp-accept", "module-answer"],
        refusals: [{ item: "voltage.l1.line", code: "meter.silent" }],
      });
  });

  it("fails where the connection breaks off: that is no answer of anybody", async () => {
    const broken = new LinkError("link.closed", "closed");
    await expect(pinged(() => Promise.reject(broken))).rejects.toBe(broken);
  });
});
