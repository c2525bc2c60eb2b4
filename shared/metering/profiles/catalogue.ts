import { DeviceProfile } from "../profile.ts";
import { COMMERCIAL_US } from "./commercial-us.ts";
import { DSMR5 } from "./dsmr5.ts";
import { G3_PLC } from "./g3-plc.ts";
import { GENERIC_EU } from "./generic-eu.ts";
import { GENERIC_US } from "./generic-us.ts";
import { IDIS } from "./idis.ts";
import { IS15959 } from "./is15959.ts";
import { MODULES_US } from "./modules-us.ts";

/** Every device profile that ships with the product, checked by its schema when first loaded. */
export const PROFILES: ReadonlyMap<string, DeviceProfile> = new Map(
  [...GENERIC_EU, ...IDIS, ...DSMR5, ...IS15959, ...G3_PLC, ...GENERIC_US, ...COMMERCIAL_US, ...MODULES_US].map(
    (profile) => [profile.name, DeviceProfile.parse(profile)],
  ),
);
