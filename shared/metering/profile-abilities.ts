import type { DeviceProfile } from "./profile.ts";

/** Whether the model tells of the loss of supply as it happens. C12.22 modules report it as an exception. */
export const tellsOfLoss = (profile: DeviceProfile): boolean =>
  profile.protocol === "c1222" ||
  (profile.dlms.alarms ?? []).some(({ bits }) => Object.values(bits).includes("power.last-gasp"));

/** What a ping past the network card asks of a meter of the model. */
export const pingedMeasurement = (profile: DeviceProfile): string =>
  (profile.protocol === "dlms" ? profile.dlms.registers : profile.c1222.registers)[0]?.measurement ?? "clock";

/** Whether the model has a disconnect switch. */
export const hasSwitch = (profile: DeviceProfile): boolean =>
  (profile.protocol === "dlms" ? profile.dlms.switch : profile.c1222.switch) !== undefined;
