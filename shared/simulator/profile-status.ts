import type { Data } from "../dlms/data.ts";
import type { DlmsLoadProfile } from "../metering/profile.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { doubleLongUnsigned, longUnsigned, unsigned } from "./cosem-data.ts";

/** The neutral flag of each mask of a profile's status column. */
const flags = ({ statusBits }: DlmsLoadProfile): readonly (readonly [mask: number, flag: number])[] =>
  Object.entries(statusBits).flatMap(([mask, name]) =>
    name in INTERVAL_STATUS ? [[Number(mask), INTERVAL_STATUS[name as keyof typeof INTERVAL_STATUS]] as const] : [],
  );

/** What of a status this profile's column can tell: nothing without one. */
export const tellable = (profile: DlmsLoadProfile, status: number): number =>
  profile.status === undefined ? 0 : flags(profile).reduce((told, [, flag]) => told | (status & flag), 0);

/** The status as this profile's column writes it: AMR profile status and its kin. */
export function profileStatus(profile: DlmsLoadProfile, status: number): Data {
  const bits = flags(profile).reduce((all, [mask, flag]) => ((status & flag) === 0 ? all : all | mask), 0) >>> 0;
  const widest = Math.max(0, ...Object.keys(profile.statusBits).map((mask) => mask.length - 2));
  return widest <= 2 ? unsigned(bits) : widest <= 4 ? longUnsigned(bits) : doubleLongUnsigned(bits);
}
