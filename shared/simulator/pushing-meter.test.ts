import { expect, it } from "vitest";
import { claimedTitle, PushAssembly, pushSource, receivePush } from "../dlms/client/push-receiver.ts";
import type { Notification } from "../dlms/server/push.ts";
import { WrapperSplitter } from "../dlms/wrapper.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { concat } from "../ports/octets.ts";
import { seeded } from "../ports/random.ts";
import { SimulatedMeter } from "./meter.ts";
import { dlmsPopulation } from "./population.ts";

const CLIENT = "4844520000000001";
const event: Notification = {
  name: "EventNotificationRequest",
  value: {
    time: undefined,
    cosemAttributeDescriptor: { classId: 1, instanceId: "0.0.97.98.20.255", attributeId: 2 },
    attributeValue: { type: "double-long-unsigned", value: 0x40 },
  },
};
const notification: Notification = {
  name: "DataNotification",
  value: {
    longInvokeIdAndPriority: 1,
    dateTime: new Uint8Array(0),
    taggedDateTime: false,
    notificationBody: { type: "structure", value: [{ type: "octet-string", value: new Uint8Array(400).fill(1) }] },
  },
};

it.each([
  ["an event", event, undefined],
  ["a notification in blocks", notification, 128],
] as const)(
  "a simulated meter pushes %s under its own keys, its counters rising with those of its answers",
  (_, what, size) => {
    const [plan] = dlmsPopulation(nodeCrypto, { meters: 1, seed: 1, faults: {}, clientSystemTitle: CLIENT });
    if (plan === undefined) throw new Error("no meter");
    const meter = new SimulatedMeter(plan, 1, { crypto: nodeCrypto, random: seeded("meter"), now: () => 0 });
    const source = pushSource(nodeCrypto, plan.profile, plan.enrolled, plan);
    const pushed = Array.from({ length: 2 }, () => {
      const dress = { form: "general", scope: "global" } as const;
      const frames = meter.push(what, { dress, ...(size !== undefined && { blockApduMax: size }) });
      const assembly = new PushAssembly();
      const [apdu] = new WrapperSplitter().push(concat(...frames)).flatMap((pdu) => assembly.take(pdu.apdu) ?? []);
      expect(claimedTitle(apdu ?? new Uint8Array())).toBe(plan.systemTitle);
      return receivePush(source, () => undefined, apdu ?? new Uint8Array());
    });
    const [first = 0n, second = 0n] = pushed.map(({ authenticated }) => authenticated?.counter);
    expect(second).toBeGreaterThan(first);
  },
);
