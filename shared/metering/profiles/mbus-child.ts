import type { Measurement } from "../measurement.ts";
import type { DlmsProfile } from "../profile.ts";
import { AMR_PROFILE_STATUS } from "./dlms-status.ts";

const DEVICE_TYPE = { gas: [3], water: [7, 6, 0x15, 0x16] } as const;
const MEASUREMENT: Readonly<Record<"gas" | "water", Measurement>> = { gas: "volume.gas", water: "volume.water" };

/**
 * A gas or water meter on the M-Bus of an electricity meter, which is reached through it: objects 0.n.24.x with n the
 * channel. Its value is captured each hour, and its load profile holds them.
 */
export function mbusChild(
  parent: DlmsProfile,
  commodity: "gas" | "water",
  channel: 1 | 2 | 3 | 4,
  /** `value`: last number of 0.n.24.2.e. */
  { value, depth }: { readonly value: number; readonly depth: number },
): DlmsProfile {
  const measurement = MEASUREMENT[commodity];
  const register = { measurement, classId: 4 as const, obis: `0.${channel}.24.2.${value}.255` };
  return {
    name: `${parent.name}-${commodity}-${channel}`,
    version: 1,
    commodity,
    protocol: "dlms",
    dlms: {
      access: parent.dlms.access,
      clock: parent.dlms.clock,
      registers: [{ ...register, total: true }],
      loadProfiles: [
        {
          channelSet: "hourly",
          obis: `0.${channel}.24.3.0.255`,
          period: 3600,
          depth,
          channels: [{ ...register, attribute: 2, scaler: -3 }],
          status: `0.${channel}.96.10.3.255`,
          statusBits: { ...AMR_PROFILE_STATUS },
        },
      ],
      mbus: {
        channel,
        client: `0.${channel}.24.1.0.255`,
        deviceTypes: [...DEVICE_TYPE[commodity]],
        capturePeriod: 3600,
      },
    },
  };
}

/**
 * The electricity meter together with the meters on its M-Bus, read in one session under its own key: what they measured
 * is kept with it, in channel sets named by their commodity. Meters of one key and one counter are one meter to a headend.
 */
export function withMbus(parent: DlmsProfile, children: readonly DlmsProfile[]): DlmsProfile {
  return {
    ...parent,
    name: `${parent.name}-mbus`,
    dlms: {
      ...parent.dlms,
      registers: [...parent.dlms.registers, ...children.flatMap(({ dlms }) => dlms.registers)],
      loadProfiles: [
        ...parent.dlms.loadProfiles,
        ...children.flatMap(({ commodity, dlms }) =>
          dlms.loadProfiles.map((profile) => ({ ...profile, channelSet: commodity })),
        ),
      ],
    },
  };
}
