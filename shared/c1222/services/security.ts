import type { Codec } from "../../wire/codec.ts";
import { unsigned16 } from "../../wire/integers.ts";
import { fixedOctets } from "../../wire/octet-string.ts";

export const PASSWORD_OCTETS = 20;
const password = fixedOctets(PASSWORD_OCTETS, "a password");

export interface Security {
  readonly password: Uint8Array;
  /** Said where there is no session to tell it. */
  readonly userId: number | undefined;
}
/** Security, code 51: a password, filled with blanks to 20 octets. */
export const Security: Codec<Security> = {
  read: (source) => ({
    password: password.read(source),
    userId: source.remaining === 0 ? undefined : unsigned16.read(source),
  }),
  write: (target, value) => {
    password.write(target, value.password);
    if (value.userId !== undefined) unsigned16.write(target, value.userId);
  },
};
