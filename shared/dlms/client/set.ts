import { SessionError } from "../../metering/failure.ts";
import { encode } from "../../wire/codec.ts";
import type { CosemAttributeDescriptor, SelectiveAccessDescriptor } from "../cosem-attribute-descriptor.ts";
import { type Data, DataCodec } from "../data.ts";
import { SetRequest } from "../set-request.ts";
import { blocksOf } from "./block-assembly.ts";
import { type Exchange, wrongForm } from "./exchange.ts";

/** Octets of last-block, number and length of a block. */
export const BLOCK_HEAD = 10;
/** Octets of APDU tag, choice and invoke id. */
export const APDU_HEAD = 3;

/** Writes an attribute, in blocks when it is too long for one APDU; answers the Data-Access-Result. */
export async function set(
  exchange: Exchange,
  cosemAttributeDescriptor: CosemAttributeDescriptor,
  value: Data,
  accessSelection?: SelectiveAccessDescriptor,
): Promise<number> {
  exchange.require("set");
  const invokeIdAndPriority = exchange.nextInvoke();
  const head = { invokeIdAndPriority, cosemAttributeDescriptor, accessSelection };
  const whole = encode(SetRequest, { kind: "normal", ...head, value });
  if (whole.length <= exchange.requestMax) {
    const answer = await exchange.ask("SetResponse", invokeIdAndPriority, whole);
    if (answer.kind !== "normal") throw wrongForm("Set-Response-Normal", answer.kind);
    return answer.result;
  }
  exchange.require("block-transfer-with-set-or-write");
  const octets = encode(DataCodec, value);
  const first = exchange.requestMax - (whole.length - octets.length) - BLOCK_HEAD;
  const other = exchange.requestMax - APDU_HEAD - BLOCK_HEAD;
  for (const datablock of blocksOf(octets, Math.max(1, first), other)) {
    const request = encode(
      SetRequest,
      datablock.blockNumber === 1
        ? { kind: "withFirstDatablock", ...head, datablock }
        : { kind: "withDatablock", invokeIdAndPriority, datablock },
    );
    const answer = await exchange.ask("SetResponse", invokeIdAndPriority, request);
    if (answer.kind === "normal" || answer.kind === "lastDatablock") {
      if (answer.result === 0 && !datablock.lastBlock) throw wrongForm("Set-Response-Datablock", answer.kind);
      return answer.result;
    }
    if (answer.kind !== "datablock" || datablock.lastBlock) throw wrongForm("Set-Response-Datablock", answer.kind);
    checkAcknowledged(datablock.blockNumber, answer.blockNumber);
  }
  throw wrongForm("Set-Response-Last-Datablock", "none");
}

/** Throws `SessionError` `dlms.block-out-of-order` unless the meter took the block that was sent. */
export function checkAcknowledged(sent: number, acknowledged: number): void {
  if (sent !== acknowledged)
    throw new SessionError(
      "protocol",
      "dlms.block-out-of-order",
      `expected block ${sent} to be taken, got ${acknowledged}`,
      {
        detail: { expected: sent, received: acknowledged },
      },
    );
}
