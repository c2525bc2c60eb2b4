import type { DeviceProfile } from "./profile.ts";

/** Whether the model tells of the loss of supply as it happens. C12.22 modules report it as an exception. */
export const tellsOfLoss = (profile: DeviceProfile): boolean =>
  profile.protocol === "c1222" ||
  (profile.dlms.alarms ?? []).some(({ bits }) => Object.values(bits).includes("power.last-gasp"));

/** Whether the model has a disconnect switch. */
export const hasSwitch = (profile: DeviceProfile): boolean =>
  (profile.protocol === "dlms" ? profile.dlms.switch : profile.c1222.switch) !== undefined;
