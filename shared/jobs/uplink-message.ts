import { z } from "zod";
import { ThingName } from "../metering/route.ts";

const Octets = z.codec(z.base64().max(180_000), z.instanceof(Uint8Array), {
  decode: (text) => z.util.base64ToUint8Array(text),
  encode: (octets) => z.util.uint8ArrayToBase64(octets),
});

/** Body of the queue `uplink`, as the topic rule writes it: what one endpoint that sleeps has said, once. */
export const UplinkMessage = z.strictObject({
  /** One APDU, as on any other way. */
  payload: Octets,
  /** Under which name the broker let it in. */
  thing: ThingName,
  /** When the broker had it, milliseconds since 1970. */
  at: z.int(),
});
export type UplinkMessage = z.infer<typeof UplinkMessage>;
