import { describe, expect, it } from "vitest";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { perform } from "../../shared/bridge/perform.ts";
import { taskReport } from "../../shared/bridge/task-report.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { decodeMessage, encodeMessage, TaskReport } from "../../shared/jobs/messages.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { DialRoute } from "../../shared/metering/route.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { C1222, DLMS, type Side, standingClock } from "./two-protocols.ts";

/** What a ping tells of a meter and of the network card before it, by either driver, as ingest gets it. */

const NOW = Date.parse("2026-11-10T09:07:13Z");

async function pinged(
  side: Side,
  depth: "network" | "meter",
  fault: FaultKind | undefined,
  transport: DialRoute["transport"] = "tcp",
) {
  const clock = standingClock(NOW);
  const meter = side.meter({ clock, ...(fault && { fault }) });
  let counter = 1;
  let dials = 0;
  const item: AccessItem = {
    segment: 1,
    slot: 0,
    meterId: MeterId.parse("M-1"),
    routes: [{ kind: "dial", host: "192.0.2.1", port: 4059, transport }],
    profile: { name: side.profile.name, version: side.profile.version },
    systemTitle: side.title,
    sealedKeys: { blob: Uint8Array.of(0), version: 1 },
    counterOffset: 0n,
    releasedBase: 0n,
    lastOrder: 0,
    flags: { medical: false, priority: false, moratorium: false },
  };
  const end = await perform(
    {
      sessionClock: clock,
      random: seeded("ping"),
      crypto: nodeCrypto,
      profiles: async () => side.profile,
      drivers: driverRegistry([side.driver]),
      vault: { open: async () => side.keys },
      dial: async () => {
        dials++;
        return dialMeter(meter, clock);
      },
      clientSystemTitle: "4844520000000001",
    },
    item,
    { next: () => counter++ },
    { kind: "ping", depth },
    1,
    { connectMs: 1_000, responseMs: 5_000 },
    new AbortController().signal,
  );
  if (end.kind === "left") throw new Error("a ping says something");
  const report = decodeMessage(TaskReport, encodeMessage(TaskReport, taskReport(item, 1, NOW, end)));
  const { outcome, evidence, refusals, registers = [] } = report;
  const reason = "reason" in outcome ? outcome.reason : undefined;
  return { told: { outcome: outcome.kind, reason, evidence, refusals }, registers: registers.length, dials };
}

const CARD = ["tcp-accept", "module-answer"];
type Row = readonly [string, FaultKind | undefined, "network" | "meter", object];
const ROWS: readonly Row[] = [
  ["a meter that lives", undefined, "meter", { outcome: "done", evidence: [...CARD, "meter-answer"] }],
  ["its network card alone", undefined, "network", { outcome: "done", evidence: ["tcp-accept"] }],
  [
    "a meter that is dead behind a card that lives",
    "dead-metrology",
    "meter",
    { outcome: "failed", reason: "meter-silent", evidence: CARD },
  ],
  ["the card before a dead meter", "dead-metrology", "network", { outcome: "done", evidence: ["tcp-accept"] }],
  [
    "somebody who takes connections and says nothing",
    "silent",
    "meter",
    { outcome: "failed", reason: "timeout", evidence: ["tcp-accept"] },
  ],
  ["nobody", "closed", "meter", { outcome: "failed", reason: "unreachable" }],
  ["nobody's card", "closed", "network", { outcome: "failed", reason: "unreachable" }],
];

describe("a ping tells apart by evidence, the same by either protocol", () => {
  it.each(ROWS)("%s", async (_, fault, depth, expected) => {
    const [dlms, c1222] = [await pinged(DLMS, depth, fault), await pinged(C1222, depth, fault)];
    expect(c1222.told).toEqual(dlms.told);
    expect(c1222.told).toMatchObject(expected);
    expect(c1222.told.evidence).toEqual("evidence" in expected ? expected.evidence : undefined);
  });

  it.each([DLMS, C1222])("over $protocol a meter that lives brings its voltages, and is dialled once", async (side) => {
    const { registers, dials } = await pinged(side, "meter", undefined);
    expect([registers, dials]).toEqual([2, 1]);
  });

  it.each([DLMS, C1222])("where a socket shows nothing, the card of a dead $protocol meter is asked", async (side) => {
    const { told, dials } = await pinged(side, "network", "dead-metrology", "udp");
    expect(told).toMatchObject({ outcome: "done", refusals: undefined });
    expect(told.evidence).toContain("module-answer");
    expect(dials).toBe(1);
  });
});
