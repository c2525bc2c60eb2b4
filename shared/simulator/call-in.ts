import { DataNotification } from "../dlms/data-notification.ts";
import { wrap } from "../dlms/wrapper.ts";
import { fromHex } from "../ports/octets.ts";
import { encode } from "../wire/codec.ts";
import { type DlmsMeterPlan, isDlms, type SimulatedMeterPlan } from "./population.ts";

/** Client SAP to which pushes go. */
const PUBLIC_CLIENT = 16;
const text = new TextEncoder();

/**
 * What a meter says by itself when it has called in: a push on connectivity with its logical device name and system
 * title. Every third meter says nothing and waits to be asked.
 */
export function callInPush({ index, serial, systemTitle, profile }: DlmsMeterPlan): Uint8Array | undefined {
  if (index % 3 === 2) return undefined;
  const apdu = encode(DataNotification, {
    longInvokeIdAndPriority: 0x4000_0001,
    dateTime: new Uint8Array(0),
    taggedDateTime: false,
    notificationBody: {
      type: "structure",
      value: [
        { type: "octet-string", value: text.encode(`HRS${serial}`.slice(0, 16)) },
        { type: "octet-string", value: fromHex(systemTitle) },
      ],
    },
  });
  return wrap(profile.dlms.access.serverSap, PUBLIC_CLIENT, apdu);
}

/** A meter that calls in tries again after so long, ms: doubled each time, with jitter, until a call was worth it. */
export const CALL_AGAIN_MS = { first: 1_000, most: 15_000 } as const;

/** Whether it proves itself when it calls in, has no fault, and nobody else's connection to be reached by. */
const isAble = (plan: SimulatedMeterPlan): boolean =>
  plan.fault === undefined &&
  (isDlms(plan)
    ? plan.profile.dlms.access.authentication === "hls-gmac"
    : plan.profile.c1222.access.security !== "clear" && plan.way === undefined);

/** Which meters hold their own connection: of those of these protocols that are able to, evenly, this share of all. */
export function callers(
  plans: readonly SimulatedMeterPlan[],
  share: number,
  protocols: readonly string[],
): ReadonlySet<number> {
  const able = plans.filter((plan) => protocols.includes(plan.profile.protocol) && isAble(plan));
  const wanted = Math.min(able.length, Math.round(share * plans.length));
  return new Set(Array.from({ length: wanted }, (_, at) => able[Math.floor((at * able.length) / wanted)]?.index ?? -1));
}
