import { SessionError } from "../../metering/failure.ts";
import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { parseHex } from "../../ports/octets.ts";
import type { CipherKeys } from "../security/protection.ts";

const SUITE_0_KEY = 16;

function keyOctets(name: string, hex: string | undefined): Uint8Array {
  const octets = hex === undefined ? undefined : parseHex(hex);
  if (octets?.length !== SUITE_0_KEY)
    throw new SessionError("auth", "dlms.keys-missing", `expected the meter's ${name} key of ${SUITE_0_KEY} octets`);
  return octets;
}

/** The keys of suite 0 as handles. Throws `SessionError` `dlms.keys-missing`. */
export const cipherKeysOf = (crypto: Crypto, keys: MeterKeys | undefined): CipherKeys => ({
  encryption: crypto.secretKey(keyOctets("unicast", keys?.unicast)),
  authentication: keyOctets("authentication", keys?.authentication),
});

/** The LLS secret. Throws `SessionError` `dlms.keys-missing`. */
export function llsSecretOf(keys: MeterKeys | undefined): Uint8Array {
  const octets = keys?.llsSecret === undefined ? undefined : parseHex(keys.llsSecret);
  if (octets === undefined) throw new SessionError("auth", "dlms.keys-missing", "expected the meter's LLS secret");
  return octets;
}
