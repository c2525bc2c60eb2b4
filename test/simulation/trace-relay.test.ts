import { describe, expect, it } from "vitest";
import { memoryAccess } from "../../shared/bridge/memory-access.ts";
import { perform } from "../../shared/bridge/perform.ts";
import type { RelayDial } from "../../shared/bridge/relay-dial.ts";
import { relayTrace } from "../../shared/bridge/trace-relay.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import type { AccessItem } from "../../shared/jobs/access.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { linkPair } from "./attached-field.ts";
import { Branch, GENERIC_US } from "./c1222-branch.ts";

describe("a ping over a relay to a meter that does not answer", () => {
  const pinged = async (branch: Branch, systemTitle: string, relay: RelayDial = branch.relays.dial) => {
    const access = memoryAccess();
    const item: AccessItem = {
      segment: 1,
      slot: 0,
      meterId: MeterId.parse("M-1"),
      routes: [branch.route],
      profile: { name: GENERIC_US.name, version: GENERIC_US.version },
      systemTitle,
      sealedKeys: { blob: Uint8Array.of(0), version: 1 },
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
    };
    await access.createAccessItem(item);
    let counter = 0;
    const end = perform(
      {
        sessionClock: branch.clock,
        random: seeded("ping"),
        crypto: nodeCrypto,
        profiles: async () => GENERIC_US,
        drivers: { driver: () => c1222Driver },
        vault: { open: async () => branch.meters[0]!.plan.enrolled },
        dial: async () => {
          throw new LinkError("link.unreachable", "no address of its own");
        },
        relay,
        trace: relayTrace({ dial: relay, random: seeded("trace"), from: ".1.1" }),
        clientSystemTitle: "4852440000000001",
      },
      item,
      { next: () => ++counter },
      { kind: "ping", depth: "meter" },
      1,
      { connectMs: 1_000, responseMs: 2_000 },
      new AbortController().signal,
    );
    return branch.clock.until(end);
  };
  const silent = () => new Branch({ meters: 1, change: () => ({ fault: "silent" }) });

  it("says that the relay has a way to it and it is silent itself", async () => {
    const branch = silent();
    const end = await pinged(branch, branch.meters[0]!.plan.apTitle);
    expect(end).toMatchObject({ failure: { reason: "timeout", code: "relay.node-silent" } });
  });

  it("says that the relay is silent where it does not answer either", async () => {
    const branch = silent();
    const mute: RelayDial = async () => linkPair(branch.clock)[0];
    const end = await pinged(branch, branch.meters[0]!.plan.apTitle, mute);
    expect(end).toMatchObject({ failure: { reason: "timeout", code: "relay.silent" } });
  });

  it("says nothing of the kind of a meter that answers", async () => {
    const branch = new Branch({ meters: 1 });
    const end = await pinged(branch, branch.meters[0]!.plan.apTitle);
    expect(end).toMatchObject({ kind: "done", result: { evidence: ["tcp-accept", "module-answer", "meter-answer"] } });
  });
});
