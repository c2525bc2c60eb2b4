import type { Driver } from "../metering/driver.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { assert } from "../ports/errors.ts";

/** Protocol families by name: the only place where they meet. */
export interface DriverRegistry {
  driver(protocol: DeviceProfile["protocol"]): Driver | undefined;
}

export function driverRegistry(drivers: readonly Driver[]): DriverRegistry {
  const byProtocol = new Map(drivers.map((driver) => [driver.protocol, driver]));
  assert(byProtocol.size === drivers.length, "one driver a protocol");
  return { driver: (protocol) => byProtocol.get(protocol) };
}
