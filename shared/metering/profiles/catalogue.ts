import { DeviceProfile } from "../profile.ts";
import { GENERIC_EU } from "./generic-eu.ts";
import { GENERIC_US } from "./generic-us.ts";

/** Every device profile that ships with the product, checked by its schema when first loaded. */
export const PROFILES: ReadonlyMap<string, DeviceProfile> = new Map(
  [...GENERIC_EU, ...GENERIC_US].map((profile) => [profile.name, DeviceProfile.parse(profile)]),
);
