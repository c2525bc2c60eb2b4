import { sequence } from "../../wire/codec.ts";
import { unsigned16 } from "../../wire/integers.ts";
import { fixedOctets } from "../../wire/octet-string.ts";

export const USER_OCTETS = 10;
/** Logon, code 50. The idle time-out is in seconds; 0: never. */
export const Logon = sequence({
  userId: unsigned16,
  user: fixedOctets(USER_OCTETS, "a user's name"),
  idleTimeout: unsigned16,
});
/** What the node grants. */
export const LogonOk = sequence({ idleTimeout: unsigned16 });
