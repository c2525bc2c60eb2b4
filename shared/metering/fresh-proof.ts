import type { DeviceProfile } from "./profile.ts";

/**
 * Whether each session proves freshly that the meter holds the enrolled keys. Without that nobody can tell a meter that
 * calls in from someone who says its name, and a secret sent to a caller would be given away.
 * DLMS: HLS, both sides. C12.22: a secured answer verifies under the meter's own key over the invocation id that it
 * answers, which was never used before; passwords go out enciphered under that key or not at all.
 */
export const provesFreshly = (profile: DeviceProfile): boolean =>
  profile.protocol === "dlms"
    ? profile.dlms.access.authentication.startsWith("hls-")
    : profile.c1222.access.security !== "clear";
