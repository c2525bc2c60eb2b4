import type { DeviceProfile } from "./profile.ts";

/**
 * Whether each session proves freshly that the meter holds the enrolled keys. Without that nobody can tell a meter that
 * calls in from someone who says its name, and a secret sent to a caller would be given away.
 * Nobody receives C12.22 meters that call in: none of them is let in.
 */
export const provesFreshly = (profile: DeviceProfile): boolean =>
  profile.protocol === "dlms" && profile.dlms.access.authentication.startsWith("hls-");
