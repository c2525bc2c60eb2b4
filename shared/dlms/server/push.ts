import { encode } from "../../wire/codec.ts";
import { type Apdu, encodeApdu } from "../apdu.ts";
import { GBT_OVERHEAD } from "../block-stream.ts";
import { GeneralBlockTransfer } from "../general-block-transfer.ts";
import type { Dress } from "../security/secured-apdu.ts";
import { isHls } from "./associate.ts";
import type { LogicalDevice } from "./logical-device.ts";
import { protectAnswer } from "./protection.ts";
import { secureContextOf } from "./secure-context.ts";
import type { ServerPorts } from "./server-association.ts";

export type Notification = Extract<
  Apdu,
  { readonly name: "DataNotification" | "EventNotificationRequest" | "InformationReportRequest" }
>;

export interface PushOptions {
  /** Client that it is for: its keys and its policy. */
  readonly clientSap: number;
  readonly dress: Dress;
  /** In General-Block-Transfer, with APDUs of at most so many octets; absent: in one APDU. */
  readonly blockApduMax?: number;
}

/**
 * What a meter says without being asked, protected as the policy of its client demands, its counter drawn as for an
 * answer. In blocks nobody acknowledges: each but the last streams, and the window is 0.
 */
export function pushApdus(
  device: LogicalDevice,
  ports: ServerPorts,
  notification: Notification,
  { clientSap, dress, blockApduMax }: PushOptions,
): readonly Uint8Array[] {
  const security = device.clients.get(clientSap)?.security;
  const plain = encodeApdu(notification);
  const apdu =
    dress.form === "clear" || security === undefined || !isHls(security)
      ? plain
      : protectAnswer(secureContextOf(ports, device.systemTitle, security), dress, plain);
  if (blockApduMax === undefined) return [apdu];
  const size = Math.max(1, blockApduMax - GBT_OVERHEAD);
  const count = Math.ceil(apdu.length / size);
  return Array.from({ length: count }, (_, index) =>
    encode(GeneralBlockTransfer, {
      lastBlock: index === count - 1,
      streaming: index < count - 1,
      window: 0,
      blockNumber: index + 1,
      blockNumberAck: 0,
      blockData: apdu.subarray(index * size, (index + 1) * size),
    }),
  );
}
