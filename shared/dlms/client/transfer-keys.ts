import type { DlmsSecuritySetup } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { methodOf } from "../objects/interface-class.ts";
import { SecuritySetup } from "../objects/security-setup.ts";
import { any } from "../objects/shape.ts";
import { type AgreementSide, agreedKey, agreementData, type KeyName, wrappedKeys } from "../security/key-transfer.ts";
import { SUITES } from "../security/security-suite.ts";
import { requireSuccess } from "./action-answer.ts";
import { requireProof } from "./proven-session.ts";
import type { DlmsSession } from "./session.ts";

/** Only a session that has proved the old keys hands out new ones. Throws `SessionError`. */
function setupOf(profile: DlmsProfile["dlms"]): DlmsSecuritySetup {
  requireProof(profile);
  if (profile.securitySetup === undefined)
    throw new SessionError(
      "unsupported",
      "profile.no-security-setup",
      "the device profile describes no Security setup",
    );
  return profile.securitySetup;
}
const notOffered = (name: KeyName, by: string): SessionError =>
  new SessionError("unsupported", `profile.no-${by}`, `the device profile does not let the ${name} key be changed so`, {
    detail: { key: name },
  });

/** Both methods have the same numbers in versions 0 and 1 of the class. */
const method = (setup: DlmsSecuritySetup, of: "keyTransfer" | "keyAgreement") =>
  methodOf(SecuritySetup, { id: SecuritySetup.methods[of].id, parameter: any }, setup.obis);

/**
 * Key transfer: new keys of the meter, wrapped under its master key, in one request: the meter takes all of them or
 * none. This session goes on under the old ones; the new come into force with the next association. After an error that
 * is no refusal nobody knows which keys the meter holds: try both. Throws `SessionError` or `LinkError`.
 */
export async function transferKeys(
  session: DlmsSession,
  crypto: Crypto,
  profile: DlmsProfile["dlms"],
  master: Uint8Array,
  keys: ReadonlyMap<KeyName, Uint8Array>,
): Promise<void> {
  const setup = setupOf(profile);
  const { keyOctets } = SUITES[profile.access.securitySuite];
  for (const [name, key] of keys) {
    if (!setup.keyTransfer.includes(name)) throw notOffered(name, "key-transfer");
    if (key.length !== keyOctets)
      throw new SessionError("internal", "dlms.key-length", `expected a ${name} key of ${keyOctets} octets`);
  }
  const { result } = await session.invoke(method(setup, "keyTransfer"), wrappedKeys(crypto, master, [...keys]));
  requireSuccess("key_transfer", result);
}

/**
 * Key agreement (Ephemeral Unified Model): one new key out of both sides' signed ephemeral points; nothing of it goes
 * over the wire. Throws `SessionError`: `auth` `dlms.bad-agreement` where the meter's own point is not signed by it; the
 * meter then holds a key that nobody knows, and the old one may serve no more.
 */
export async function agreeKey(
  session: DlmsSession,
  crypto: Crypto,
  profile: DlmsProfile["dlms"],
  side: AgreementSide,
  titles: { readonly client: Uint8Array; readonly server: Uint8Array },
  name: KeyName,
): Promise<Uint8Array> {
  const setup = setupOf(profile);
  if (name === "master" || !setup.keyAgreement.includes(name)) throw notOffered(name, "key-agreement");
  const { result, returnParameters } = await session.invoke(
    method(setup, "keyAgreement"),
    agreementData(crypto, side, name),
  );
  requireSuccess("key_agreement", result);
  const data = returnParameters?.kind === "data" ? returnParameters.data : undefined;
  const key = agreedKey(crypto, side, titles, name, data);
  if (key === undefined)
    throw new SessionError(
      "auth",
      "dlms.bad-agreement",
      "the meter's contribution is not signed under its enrolled key",
    );
  return key;
}
