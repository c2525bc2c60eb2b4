import type { MeterKeys } from "./meter-keys.ts";
import type { DeviceProfile } from "./profile.ts";

/** Under what name a meter is enrolled. */
export interface Naming {
  /** Whether its sessions need the name. */
  readonly named: boolean;
  /** What the name is called, with its article. */
  readonly title: string;
  readonly isTitle: (name: string) => boolean;
}

/** Which keys a profile's sessions need. */
export function keysNeeded(profile: DeviceProfile): readonly (keyof MeterKeys)[] {
  if (profile.protocol === "c1222") {
    const { security, userId } = profile.c1222.access;
    return [
      ...(security === "clear" ? [] : (["unicast"] as const)),
      ...(userId === undefined ? [] : (["llsSecret"] as const)),
    ];
  }
  const { access } = profile.dlms;
  const { authentication, ciphering, cipheringKey, securityPolicy = 0 } = access;
  const ciphered = authentication === "hls-gmac" || authentication === "hls-ecdsa" || ciphering !== "none";
  const digests = authentication === "hls-md5" || authentication === "hls-sha1" || authentication === "hls-sha256";
  const agreed = cipheringKey === "one-pass" || cipheringKey === "static-unified";
  const signed = authentication === "hls-ecdsa" || cipheringKey === "one-pass" || (securityPolicy & 0x90) !== 0;
  return [
    ...(ciphered ? (["unicast", "authentication"] as const) : []),
    ...(authentication === "lls" ? (["llsSecret"] as const) : []),
    ...(digests ? (["hlsSecret"] as const) : []),
    ...(signed ? (["clientSigning", "meterSigning"] as const) : []),
    ...(agreed ? (["clientAgreement", "meterAgreement"] as const) : []),
  ];
}

/** A C12.22 meter has an ApTitle, with dots; a DLMS meter a system title, which has none. */
export const namingOf = (profile: DeviceProfile): Naming =>
  profile.protocol === "c1222"
    ? { named: true, title: "an ApTitle", isTitle: (name) => name.includes(".") }
    : {
        named: keysNeeded(profile).includes("unicast"),
        title: "a system title",
        isTitle: (name) => !name.includes("."),
      };

/** Whether messages to and from it stand alone, under a key of its own, and it says when it listens. */
export const hasMailbox = (profile: DeviceProfile): boolean =>
  profile.protocol === "c1222" && profile.c1222.sleep !== undefined && profile.c1222.access.security !== "clear";

/** Whether relays pass on what a meter of this profile says. */
export const passesRelays = (profile: DeviceProfile): boolean => profile.protocol === "c1222";
