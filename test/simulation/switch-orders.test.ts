import { describe, expect, it } from "vitest";
import { Calendar } from "../../shared/jobs/calendar.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { AUDIT_CHAINS, brokenLink } from "../../shared/security/audit.ts";
import type { Stop } from "../../shared/switching/authority.ts";
import type { Incident, OrderTown } from "./order-town.ts";
import { incident, NO_INCIDENT, orderTown } from "./order-town.ts";

const OPEN = { kind: "operateSwitch", to: "open" } as const;
const CLOSE = { kind: "operateSwitch", to: "closed" } as const;
const ARM = { kind: "operateSwitch", to: "armed" } as const;
const COMMAND = { lane: "commands" } as const;

const stop = (change: Partial<Stop> = {}): Stop => ({
  stopId: "s1",
  acts: "switching",
  reason: "a test",
  by: { id: "somebody" },
  at: 0,
  ...change,
});
const relay = ({ meter }: OrderTown) => meter.parts.state.relay;
const opened = async (fault?: Parameters<typeof orderTown>[0]): Promise<OrderTown> => {
  const run = await orderTown(fault);
  relay(run).remoteDisconnect();
  await run.town.clock.pass(600_000);
  return run;
};
const last = ({ town }: OrderTown) => town.batches.flatMap(({ tasks }) => tasks).at(-1);

describe("an order to a switch", () => {
  it("opens it, is done when position and dead load side prove it twice, and is written in the audit before", async () => {
    const run = await orderTown();
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("done(none)");
    expect(relay(run).closed).toBe(false);
    expect(last(run)).toMatchObject({
      switch: { position: "open", contactClosed: false },
      switchEvidence: {
        before: { position: "closed", contactClosed: true },
        after: { position: "open", contactClosed: false },
        proof: "position+voltage",
      },
    });
    const volts = ({ m }: { readonly m: string }) => m === "voltage.l1.load";
    const evidence = last(run)?.switchEvidence;
    expect(evidence?.before?.voltages.find(volts)?.v).toBeGreaterThan(2000n);
    expect(evidence?.after?.voltages.find(volts)?.v).toBe(0n);
    expect(run.audit.links.map(({ entry }) => entry)).toMatchObject([
      { action: "order.intent", meterId: run.item.meterId, detail: { operation: "operateSwitch", to: "open" } },
    ]);
    for (let chain = 0; chain < AUDIT_CHAINS; chain++)
      expect(await brokenLink(nodeCrypto, run.audit.from(chain, 1), chain)).toBeUndefined();
  });

  it("closes it again", async () => {
    const run = await opened();
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: CLOSE }))).toBe("done(none)");
    expect(relay(run).closed).toBe(true);
  });

  it("is done without an effect where the switch is there already", async () => {
    const run = await opened();
    const moved = relay(run).kept.movedAt;
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("done(none)");
    expect(relay(run).kept.movedAt).toBe(moved);
    expect(run.audit.links).toEqual([]);
  });

  // Class 70, control_mode: what a remote reconnection does.
  it.each([
    [1, CLOSE, "failed(unsupported)", "disconnected", "dlms.switch-only-arms"],
    [1, ARM, "done(none)", "ready", undefined],
    [2, CLOSE, "done(none)", "connected", undefined],
    [2, ARM, "failed(unsafe)", "disconnected", "dlms.switch-closes"],
    [3, CLOSE, "failed(unsupported)", "disconnected", "dlms.switch-only-arms"],
    [3, ARM, "done(none)", "ready", undefined],
    [4, CLOSE, "done(none)", "connected", undefined],
    [4, ARM, "failed(unsafe)", "disconnected", "dlms.switch-closes"],
    [5, ARM, "done(none)", "ready", undefined],
    [6, ARM, "done(none)", "ready", undefined],
    [6, CLOSE, "failed(unsupported)", "disconnected", "dlms.switch-only-arms"],
  ] as const)(
    "in control mode %i (%j) ends %s, and the switch is %s",
    async (mode, operation, expected, state, code) => {
      const run = await opened();
      relay(run).setMode(mode);
      run.start();
      expect(await run.end(await run.order({ ...COMMAND, operation }))).toBe(expected);
      expect(relay(run).state).toBe(state);
      expect(last(run)?.outcome).toMatchObject(code === undefined ? { kind: "done" } : { kind: "failed", code });
      if (code !== undefined) expect(run.audit.links).toEqual([]); // nothing was sent
    },
  );

  it.each([1, 2, 3, 4, 5, 6] as const)("opens it in control mode %i", async (mode) => {
    const run = await orderTown();
    relay(run).setMode(mode);
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("done(none)");
    expect(relay(run).state).toBe("disconnected");
  });

  it("is refused in control mode 0, in which a switch is not to be operated", async () => {
    const run = await orderTown();
    relay(run).setMode(0);
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("failed(unsupported)");
    expect(last(run)?.outcome).toMatchObject({ code: "dlms.switch-mode-0" });
    expect(relay(run).state).toBe("connected");
  });
});

describe("of a meter that lies, an order", () => {
  it.each([
    ["hollow-switch", OPEN, "failed(no-effect)"],
    ["welded", OPEN, "failed(unverified)"],
    ["load-side-live", OPEN, "failed(unverified)"],
    ["slow", OPEN, "done(none)"],
    ["silent", OPEN, "failed(timeout)"],
    ["wrong-key", OPEN, "failed(auth)"],
  ] as const)("to one that is %s (%j) ends %s", async (fault, operation, expected) => {
    const run = await orderTown(fault);
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation, passes: 2 }))).toBe(expected);
    for (const { switchEvidence, outcome } of run.town.batches.flatMap(({ tasks }) => tasks))
      expect(switchEvidence?.proof === undefined).toBe(outcome.kind !== "done");
  });

  it("to close onto a live load side is refused, and nothing is sent", async () => {
    const run = await opened("load-side-live");
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: CLOSE }))).toBe("failed(unsafe)");
    expect(relay(run).state).toBe("disconnected");
    expect(run.audit.links).toEqual([]);
  });
});

describe("what stands against an order", () => {
  it.each(["medical", "priority", "moratorium"] as const)(
    "is that its meter is marked %s, when it is to be opened",
    async (flag) => {
      const run = await orderTown();
      await run.town.access.setFlags(run.item, run.item.meterId, { ...run.item.flags, [flag]: true });
      run.start();
      expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("failed(unsafe)");
      expect(run.meter.sessions).toBe(0);
      const closed = await opened();
      await closed.town.access.setFlags(closed.item, closed.item.meterId, { ...closed.item.flags, [flag]: true });
      closed.start();
      expect(await closed.end(await closed.order({ ...COMMAND, operation: CLOSE }))).toBe("done(none)");
    },
  );

  it.each([
    ["of all switching", OPEN, stop(), "failed(unsafe)"],
    ["of opening", OPEN, stop({ acts: "opening" }), "failed(unsafe)"],
    ["of opening, when it is to be closed", CLOSE, stop({ acts: "opening" }), "done(none)"],
    ["of another feeder", OPEN, stop({ feeder: "F-9" }), "done(none)"],
    ["that is over", OPEN, stop({ until: 1 }), "done(none)"],
  ] as const)("is a stop %s", async (_name, operation, set, expected) => {
    const run = operation.to === "open" ? await orderTown() : await opened();
    run.rules.authority = { ...run.rules.authority, stops: [set] };
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation }))).toBe(expected);
  });

  it.each([
    ["of opening, everywhere", OPEN, {}, "failed(unsafe)"],
    ["when it is to be closed", CLOSE, {}, "done(none)"],
    ["of another feeder", OPEN, { feeder: "F-9" }, "done(none)"],
  ] as const)("is a moratorium %s", async (_name, operation, place, expected) => {
    const run = operation.to === "open" ? await orderTown() : await opened();
    const calendar = Calendar.parse({ name: "always", timeZone: "UTC", seasons: [{ from: "01-01", to: "12-31" }] });
    const always = { moratoriumId: "1", calendar, reason: "frost", by: { id: "a" }, at: 0, ...place };
    run.rules.authority = { ...run.rules.authority, moratoria: [always] };
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation }))).toBe(expected);
  });

  it("is the same for a test, which moves nothing, takes no room and supersedes nothing", async () => {
    const run = await orderTown();
    run.start();
    const asked = { ...COMMAND, operation: OPEN, test: true } as const;
    expect(await run.end(await run.order(asked))).toBe("done(none)");
    expect(relay(run).state).toBe("connected");
    expect(run.meter.sessions).toBe(1);
    expect((await run.town.access.read(run.item))?.lastOrder).toBe(0);
    expect(await run.roomIn("opening")).toEqual([]);
    expect(run.audit.links).toEqual([]);
    run.rules.authority = { ...run.rules.authority, stops: [stop()] };
    expect(await run.end(await run.order({ ...asked, job: "b".repeat(26) }))).toBe("failed(unsafe)");
  });

  it("is looked at last of all: a stop after the intent still holds it back, and the intent is gone", async () => {
    const calls: string[] = [];
    const trial = await orderTown();
    trial.start(incident(trial.town, NO_INCIDENT, calls));
    await trial.end(await trial.order({ ...COMMAND, operation: OPEN }));
    const intent = calls.indexOf("ledger.writeSlice", calls.indexOf("ledger.writeSlice") + 1) + 1;
    const operate = calls.indexOf("link.send", intent) + 1;
    expect(calls.slice(intent, operate - 1)).toEqual(["access.read"]);

    const run = await orderTown();
    const stands: Incident = { at: intent, when: "after", what: 3_000 };
    run.start(incident(run.town, stands));
    const slice = await run.order({ ...COMMAND, operation: OPEN });
    await run.town.clock.pass(2_500);
    run.rules.authority = { ...run.rules.authority, stops: [stop()] };
    expect(await run.end(slice)).toBe("failed(unsafe)");
    expect(relay(run).state).toBe("connected");
  });

  it("is that another Region is active by now", async () => {
    const run = await orderTown();
    run.rules.authority = { ...run.rules.authority, region: "elsewhere" };
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("failed(unsafe)");
    expect(relay(run).state).toBe("connected");
  });

  it("is that nothing of it can be written in the audit", async () => {
    const run = await orderTown();
    run.audit.put = async () => {
      throw new Error("the table is gone");
    };
    run.start();
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN, passes: 1 }))).toBe("failed(internal)");
    expect(relay(run).state).toBe("connected");
  });

  it("is a full guard, until there is room again", async () => {
    const run = await orderTown(undefined, "generic-eu", 3);
    const { settings } = run.rules;
    const one = { perMinute: 1, perHour: 100 };
    run.rules.settings = { ...settings, opening: { ...settings.opening, all: one } };
    run.start();
    const begun = run.town.clock.now();
    const slice = await run.order({ ...COMMAND, operation: OPEN });
    const openNow = () => run.meters.filter(({ parts }) => parts.state.relay.state === "disconnected").length;
    await run.town.clock.pass(30_000);
    expect(openNow()).toBe(1);
    await run.town.clock.pass(60_000);
    expect(openNow()).toBe(2);
    expect(await run.end(slice)).toBe("done(none)");
    expect(openNow()).toBe(3);
    expect(run.town.clock.now() - begun).toBeGreaterThan(120_000);
  });
});

describe("an order of which a bridge does not see the end", () => {
  /** The frames of the effect. */
  const operates = async (): Promise<number> => {
    const calls: string[] = [];
    const trial = await orderTown();
    trial.start(incident(trial.town, NO_INCIDENT, calls));
    await trial.end(await trial.order({ ...COMMAND, operation: OPEN }));
    const intent = calls.indexOf("ledger.writeSlice", calls.indexOf("ledger.writeSlice") + 1) + 1;
    return calls.indexOf("link.send", intent) + 1;
  };

  it("is found done by the next one, and not sent again", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: await operates(), when: "after", what: "ends" }));
    const slice = await run.order({ ...COMMAND, operation: OPEN });
    await run.town.clock.pass(5_000);
    const moved = relay(run).kept.movedAt;
    run.start();
    expect(await run.end(slice)).toBe("done(none)");
    expect(relay(run).kept.movedAt).toBe(moved);
  });

  it("is sent once more where the meter's log shows that its switch was left alone", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: await operates(), when: "before", what: "breaks" }));
    expect(await run.end(await run.order({ ...COMMAND, operation: OPEN }))).toBe("done(none)");
    expect(relay(run).state).toBe("disconnected");
  });

  it("is not sent once more while there is no room for it, and expires without effect", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: await operates(), when: "before", what: "breaks" }));
    const slice = await run.order({ ...COMMAND, operation: OPEN });
    await run.town.clock.pass(5_000);
    const { settings } = run.rules;
    const none = { perMinute: 0, perHour: 0 };
    run.rules.settings = { ...settings, opening: { ...settings.opening, all: none } };
    expect(await run.end(slice)).toBe("expired(no-effect)");
    expect(relay(run).state).toBe("connected");
  });

  it("is never sent again where the switch moved and somebody moved it back", async () => {
    const run = await orderTown();
    run.start(incident(run.town, { at: await operates(), when: "after", what: "ends" }));
    const slice = await run.order({ ...COMMAND, operation: OPEN });
    await run.town.clock.pass(5_000);
    relay(run).remoteReconnect(); // by a field tool, before a bridge looks again
    run.start();
    expect(await run.end(slice)).toBe("failed(unverified)");
    expect(relay(run).state).toBe("connected");
  });
});

describe("an order that limits the power", () => {
  const LIMIT = { watts: 3_000, overSeconds: 60, underSeconds: 60, over: "disconnect", under: "none" } as const;
  const limit = (watts: number | null) =>
    ({
      ...COMMAND,
      operation: { kind: "setPowerLimit", limit: watts === null ? null : { ...LIMIT, watts } },
    }) as const;

  it("sets it, is written in the audit before, and takes room as an opening does", async () => {
    const run = await orderTown();
    run.start();
    expect(await run.end(await run.order(limit(3_000)))).toBe("done(none)");
    expect(last(run)).toMatchObject({ powerLimit: { limit: LIMIT, activeWatts: 3_000 } });
    expect(run.audit.links.map(({ entry }) => entry)).toMatchObject([
      { action: "order.intent", detail: { operation: "setPowerLimit", limit: "3000 W, disconnect" } },
    ]);
    expect(await run.roomIn("opening")).toHaveLength(1);
  });

  it.each([
    ["a medical flag", "medical"],
    ["a stop of opening", "stop"],
  ])("is refused by %s, and a limit is taken away all the same", async (_, what) => {
    const against = async (run: OrderTown) => {
      if (what === "stop") run.rules.authority = { ...run.rules.authority, stops: [stop({ acts: "opening" })] };
      else await run.town.access.setFlags(run.item, run.item.meterId, { ...run.item.flags, medical: true });
      run.start();
    };
    const refused = await orderTown();
    await against(refused);
    expect(await refused.end(await refused.order(limit(3_000)))).toBe("failed(unsafe)");
    expect(refused.meter.parts.limiter.thresholdActive).toBe(0xffff_ffff);
    const lifted = await orderTown();
    lifted.meter.parts.limiter.change({ thresholdNormal: 2_000 });
    await against(lifted);
    expect(await lifted.end(await lifted.order(limit(null)))).toBe("done(none)");
    expect(lifted.meter.parts.limiter.thresholdActive).toBe(0xffff_ffff);
  });

  it("as a test looks at everything and sets nothing", async () => {
    const run = await orderTown();
    run.start();
    const asked = { ...limit(3_000), test: true } as const;
    expect(await run.end(await run.order(asked))).toBe("done(none)");
    expect(run.meter.parts.limiter.thresholdActive).toBe(0xffff_ffff);
    expect(run.meter.sessions).toBe(1);
    expect(await run.roomIn("opening")).toEqual([]);
    expect(run.audit.links).toEqual([]);
    run.rules.authority = { ...run.rules.authority, stops: [stop()] };
    expect(await run.end(await run.order({ ...asked, job: "b".repeat(26) }))).toBe("failed(unsafe)");
  });
});
