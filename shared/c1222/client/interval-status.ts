import { INTERVAL_STATUS } from "../../metering/result.ts";

/** Bits of the extended status that hold for all channels: the high half of its first octet. */
const COMMON = { daylightSaving: 0x10, powerFail: 0x20, clockForward: 0x40, clockBack: 0x80 } as const;
/** Status of one channel, by its number; the others are reserved. */
const CHANNEL = { none: 0, overflow: 1, partial: 2, long: 3, skipped: 4, testMode: 5, changed: 6, stopped: 7 } as const;
const PARTIAL: readonly number[] = [CHANNEL.partial, CHANNEL.long];

/** The extended interval status of one channel, from 0, in neutral bits. A skipped interval has no value. */
export function intervalStatus(
  extended: Uint8Array,
  channel: number,
): { readonly flags: number; readonly skipped: boolean } {
  const common = extended[0] ?? 0;
  const octet = extended[(channel + 1) >> 1] ?? 0;
  // Channel 1 is the low half of octet 0; then each octet has an even channel high and the next odd one low.
  const status = channel === 0 ? octet & 0x0f : channel % 2 === 1 ? octet >> 4 : octet & 0x0f;
  let flags = 0;
  if ((common & COMMON.daylightSaving) !== 0) flags |= INTERVAL_STATUS.daylightSaving;
  if ((common & COMMON.powerFail) !== 0) flags |= INTERVAL_STATUS.powerDown;
  if ((common & (COMMON.clockForward | COMMON.clockBack)) !== 0) flags |= INTERVAL_STATUS.clockAdjusted;
  if (PARTIAL.includes(status)) flags |= INTERVAL_STATUS.partial;
  else if (status !== CHANNEL.none) flags |= INTERVAL_STATUS.dataInvalid;
  return { flags, skipped: status === CHANNEL.skipped };
}
