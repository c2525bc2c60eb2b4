import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";

/**
 * Only a session that has proved the meter's keys may change anything: without them nobody knows who answers, and
 * nothing fences off a late sender. Throws `SessionError` `unsafe` `dlms.unproved-session`.
 */
export function requireProof({ access }: Pick<DlmsProfile["dlms"], "access">): void {
  if (!access.authentication.startsWith("hls-") || access.ciphering === "none")
    throw new SessionError("unsafe", "dlms.unproved-session", "expected a ciphered session that proves both sides");
}
