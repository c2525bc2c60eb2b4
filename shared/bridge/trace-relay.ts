import { AContext } from "../c1222/a-context.ts";
import { sameTitle } from "../c1222/ap-title.ts";
import { clearRequest } from "../c1222/clear-message.ts";
import { readPayload } from "../c1222/epsem.ts";
import { controlOf } from "../c1222/security/secured-apdu.ts";
import { decodeResponse } from "../c1222/services/response.ts";
import { SessionError } from "../metering/failure.ts";
import { GROUP_INVOCATION_IDS } from "../metering/group.ts";
import type { RelayRoute } from "../metering/route.ts";
import { LinkError } from "../ports/link.ts";
import { below, type Random } from "../ports/random.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { RelayDial } from "./relay-dial.ts";

/**
 * Where the way to a node that does not answer ends, as the last relay before it tells: `node`: it has a way to the node;
 * `relay`: it is there and has none; `nobody`: it does not answer itself. In clear: a help for people, no proof of anything.
 */
export type TraceEnd = "node" | "relay" | "nobody";

/** Asks the last relay of a route for the way to `apTitle`. Throws nothing that relays do. `deadline`: clock ms. */
export type RelayTrace = (route: RelayRoute, apTitle: string, deadline: number) => Promise<TraceEnd>;

/** `from`: the headend's own title. */
export const relayTrace =
  ({ dial, random, from }: { readonly dial: RelayDial; readonly random: Random; readonly from: string }): RelayTrace =>
  async (route, apTitle, deadline) => {
    const relay = route.path.at(-1) ?? ".";
    const invocationId = 1 + below(random, GROUP_INVOCATION_IDS - 1);
    try {
      const link = await dial(route, deadline);
      try {
        await link.send(clearRequest({ from, to: relay, invocationId }, { service: "trace", apTitle }));
        const answer = decode(AContext, await link.receive(deadline));
        const control = controlOf(answer);
        const { services } = readPayload(answer.userInformation.octetAligned.subarray(1), control.edClassIncluded);
        const { code, body } = decodeResponse("trace", services[0] ?? new Uint8Array(0));
        const last = body.kind === "trace" ? body.apTitles.at(-1) : undefined;
        return code === 0 && last !== undefined && sameTitle(last, apTitle) ? "node" : "relay";
      } finally {
        await link.close();
      }
    } catch (error) {
      if (error instanceof LinkError) return "nobody";
      if (error instanceof SessionError || error instanceof WireError) return "relay";
      throw error;
    }
  };
