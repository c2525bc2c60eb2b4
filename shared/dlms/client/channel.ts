import type { SessionContext } from "../../metering/driver.ts";
import { repeatingLink } from "../../ports/repeating-link.ts";
import { CONFORMANCE } from "../conformance.ts";
import { HDLC_DEFAULTS } from "../hdlc-parameters.ts";
import { type ApduChannel, ApduLink } from "./apdu-link.ts";
import type { Agreement } from "./association.ts";
import { BlockChannel } from "./block-channel.ts";
import { HdlcChannel } from "./hdlc-channel.ts";

/** The framing that the device profile names: the wrapper, or HDLC under a server address of its own size. */
export function channelOf({ link, clock, profile, responseTimeoutMs, onFrame }: SessionContext): ApduChannel {
  const { clientSap, serverSap, framing, hdlc, referencing } = profile.dlms.access;
  if (framing !== "hdlc") {
    // By short names an answer carries no id: one that came twice would be taken for the answer to what is asked next.
    const mayRepeat = link.kind === "datagram" && referencing !== "short-name";
    const onRepeat = (octets: Uint8Array): void => onFrame?.("sent", octets);
    const repeating = mayRepeat ? repeatingLink(link, clock, { withinMs: responseTimeoutMs, onRepeat }) : link;
    return new ApduLink({ link: repeating, clientSap, serverSap, onFrame });
  }
  const { addressOctets = 1, physicalDevice = 0, informationMax = 128, window = 1 } = hdlc ?? {};
  return new HdlcChannel({
    link,
    clock,
    addresses: {
      own: { upper: clientSap, lower: undefined, octets: 1 },
      peer: {
        upper: serverSap,
        lower: addressOctets === 1 ? undefined : physicalDevice,
        octets: addressOctets,
      },
    },
    parameters: {
      ...HDLC_DEFAULTS,
      transmitMax: informationMax,
      receiveMax: informationMax,
      transmitWindow: window,
      receiveWindow: window,
    },
    repeatAfterMs: Math.max(1, Math.floor(responseTimeoutMs / 4)),
    onFrame,
  });
}

/** General-Block-Transfer over a channel, where the profile wants it and the meter offers it. */
export function inBlocks(context: SessionContext, agreement: Agreement, below: ApduChannel): ApduChannel {
  const { generalBlockTransfer } = context.profile.dlms.access;
  const offered = (agreement.conformance & CONFORMANCE["general-block-transfer"]) !== 0;
  if (generalBlockTransfer === undefined || !offered) return below;
  return new BlockChannel(below, {
    clock: context.clock,
    serverMaxPduSize: agreement.serverMaxPduSize,
    window: generalBlockTransfer.window,
    repeatAfterMs: Math.max(1, Math.floor(context.responseTimeoutMs / 4)),
  });
}
