import type { CallInput } from "../api/client.ts";

type RetireRequest = CallInput<"retireMeter">["request"];
type ExchangeRequest = CallInput<"exchangeMeter">["request"];
type Read = NonNullable<RetireRequest["finalReads"]>[number];
export type Commodity = "electric" | "gas" | "water";

/** What the register on a display is, and the power of ten from its unit to the measurement's. */
const DISPLAYS = {
  electric: { measurement: "energy.active.import.total", unit: "kWh", shift: 3 },
  gas: { measurement: "volume.gas", unit: "m³", shift: 0 },
  water: { measurement: "volume.water", unit: "m³", shift: 0 },
} as const;

export const displayUnit = (commodity: Commodity): string => DISPLAYS[commodity].unit;

/** What a display showed, digit by digit; none: it could not be read. Undefined: it is no number. */
export function displayReads(commodity: Commodity, shown: string): Read[] | undefined {
  if (shown.trim() === "") return [];
  const [, whole, fraction = ""] = /^(\d{1,12})(?:[.,](\d{1,6}))?$/.exec(shown.trim()) ?? [];
  if (whole === undefined) return undefined;
  const { measurement, shift } = DISPLAYS[commodity];
  return [{ measurement, value: BigInt(whole + fraction).toString(), scaler: shift - fraction.length }];
}

/** An instant of the form, minutes of UTC; undefined: none. */
export function instantOf(text: string): string | undefined {
  const at = Date.parse(`${text}Z`);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** The new meter as it was typed. */
export interface NewMeter {
  readonly meterId: string;
  readonly serial: string;
  readonly systemTitle: string;
  readonly profile: string;
  readonly host: string;
  readonly port: string;
  /** Hex; "": it has none. */
  readonly unicast: string;
  readonly authentication: string;
}
export const NO_METER: NewMeter = {
  meterId: "",
  serial: "",
  systemTitle: "",
  profile: "",
  host: "",
  port: "4059",
  unicast: "",
  authentication: "",
};

/** What has to be there, by field. */
export const missingOf = (meter: NewMeter): readonly (keyof NewMeter)[] =>
  (["meterId", "serial", "profile", "host", "port"] as const).filter((field) => meter[field].trim() === "");

/** The body of an exchange. */
export function exchangeRequest(
  commodity: Commodity,
  typed: NewMeter,
  rest: Pick<ExchangeRequest, "at" | "reason" | "finalReads" | "startReads">,
): ExchangeRequest {
  const given = (field: keyof NewMeter) => (typed[field].trim() === "" ? {} : { [field]: typed[field].trim() });
  const keys = { ...given("unicast"), ...given("authentication") };
  return {
    ...rest,
    meter: {
      meterId: typed.meterId.trim(),
      commodity,
      serial: typed.serial.trim(),
      profile: typed.profile.trim(),
      ...given("systemTitle"),
      routes: [{ kind: "dial", host: typed.host.trim(), port: Number(typed.port) }],
      ...(Object.keys(keys).length === 0 ? {} : { keys }),
    },
  } as ExchangeRequest;
}
