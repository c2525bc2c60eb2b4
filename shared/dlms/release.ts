import { absentable, berInteger, berSequence } from "../wire/ber.ts";
import type { TypeOf } from "../wire/codec.ts";
import { acseApdu, userInformation } from "./acse.ts";

export const RELEASE_REQUEST_REASON = { normal: 0, urgent: 1, "user-defined": 30 } as const;
export const RELEASE_RESPONSE_REASON = { normal: 0, "not-finished": 1, "user-defined": 30 } as const;

/** RLRQ-apdu, tag 0x62. */
export const Rlrq = acseApdu(
  "RLRQ",
  0x62,
  berSequence("RLRQ", { reason: absentable(0x80, berInteger), userInformation }),
);
export type Rlrq = TypeOf<typeof Rlrq>;

/** RLRE-apdu, tag 0x63. */
export const Rlre = acseApdu(
  "RLRE",
  0x63,
  berSequence("RLRE", { reason: absentable(0x80, berInteger), userInformation }),
);
export type Rlre = TypeOf<typeof Rlre>;
