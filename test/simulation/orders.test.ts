import { describe, expect, it } from "vitest";
import { incident, NO_INCIDENT, orderTown } from "./order-town.ts";

describe("a demand reset", () => {
  it("reads the maximum, writes its intent, resets once and is done by proof", async () => {
    const run = await orderTown();
    const calls: string[] = [];
    run.start(incident(run.town, NO_INCIDENT, calls));
    const slice = await run.order();
    expect(await run.end(slice)).toBe("done(none)");
    expect(run.resets()).toBe(1);
    console.log(calls.length, calls.join(" "));
    expect(run.before()).toHaveLength(1);
    expect((await run.town.access.read(run.item))?.hold).toBeUndefined();
  });
});
