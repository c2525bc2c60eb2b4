import { z } from "zod";
import { LoadControl } from "./load-control.ts";
import { MeasurementName } from "./measurement.ts";
import { CreditAmount, Token } from "./meter-credit.ts";
import { EmergencyLimit, PowerLimit } from "./power-limit.ts";
import { PushDestination, PushedContent, PushPeriod } from "./push-setting.ts";
import { Price, TariffCalendar } from "./tariff-calendar.ts";

/** Milliseconds since 1970-01-01T00:00Z, a whole second. */
const Instant = z.int().min(0).max(8_640_000_000_000_000);

/** Start included, end included for end-stamped intervals: the intervals whose *end* lies in (from, to]. */
export const TimeRange = z
  .strictObject({ from: Instant, to: Instant })
  .refine((range) => range.from < range.to, { message: "expected from < to", path: ["to"] });
export type TimeRange = z.infer<typeof TimeRange>;

const ReadRegisters = z.strictObject({
  kind: z.literal("readRegisters"),
  /** Absent: every register that the device profile maps. */
  measurements: z.array(MeasurementName).min(1).max(64).optional(),
});
const ReadIntervals = z.strictObject({
  kind: z.literal("readIntervals"),
  range: TimeRange,
  /** Read these registers in the same session, after the intervals. */
  registers: z.union([z.literal("total"), z.array(MeasurementName).min(1).max(64)]).optional(),
});
const Ping = z.strictObject({ kind: z.literal("ping"), depth: z.enum(["network", "meter"]) });
/** Sets the maximum demand back, as at the end of a billing period; the maximum is read before, in the same session. */
const ResetDemand = z.strictObject({ kind: z.literal("resetDemand") });
/** What the meter's event logs hold of a range: events whose time lies in (from, to]. */
const ReadEvents = z.strictObject({ kind: z.literal("readEvents"), range: TimeRange });
/** Every voltage that the device profile maps, on the line side and, where the meter has a sensor there, on the load side. */
const ReadVoltage = z.strictObject({ kind: z.literal("readVoltage") });
/** Position of the disconnect switch, and the voltages as `readVoltage` reads them, in one session. */
const ReadSwitch = z.strictObject({ kind: z.literal("readSwitch") });
/** Sets the meter's clock to the headend's time, in the steps that the device profile allows. */
const SetClock = z.strictObject({
  kind: z.literal("setClock"),
  /** A clock that is off by more is not touched, ms; absent: `CLOCK_STEP_MAX_MS`. */
  upToMs: z
    .int()
    .min(1)
    .max(366 * 86_400_000)
    .optional(),
  /** Nor one that was set as often within 24 h; absent: `CLOCK_SETS_A_DAY`. */
  aDay: z.int().min(1).max(24).optional(),
});
/**
 * What the meter kept when billing periods or seasons ended, or its demand was reset: snapshots whose time lies in
 * (from, to]; without a range, all that it holds.
 */
const ReadBilling = z.strictObject({ kind: z.literal("readBilling"), range: TimeRange.optional() });
/** Opens or closes the disconnect switch, or arms it so that the customer can close it at the meter. Never a toggle. */
const OperateSwitch = z.strictObject({ kind: z.literal("operateSwitch"), to: z.enum(["open", "closed", "armed"]) });
/** The limits that the meter keeps of its load, and whether an emergency one is in force. */
const ReadPowerLimit = z.strictObject({ kind: z.literal("readPowerLimit") });
/** Sets the limit of the load, or takes it away (null); an emergency limit too, where it is named. It can cut people off. */
const SetPowerLimit = z.strictObject({
  kind: z.literal("setPowerLimit"),
  limit: PowerLimit.nullable(),
  emergency: EmergencyLimit.nullable().optional(),
});

/** Tells a load behind the meter, through the control point of the device profile. Never the supply switch. */
const ControlLoad = z.strictObject({ kind: z.literal("controlLoad"), control: LoadControl });

/**
 * Sets what the meter pushes by itself: read, compared, set where it differs, and read back. What is pushed is the device
 * profile's push of that name.
 */
const ConfigurePush = z.strictObject({
  kind: z.literal("configurePush"),
  content: PushedContent,
  enabled: z.boolean(),
  /** Seconds; absent: as often as it is set to. Alarms have no period. */
  every: PushPeriod.optional(),
  /** Absent: where this deployment lets meters call in. */
  destination: PushDestination.optional(),
});
/**
 * Writes a time-of-use calendar, and when it becomes active (clock ms, a whole second; absent: at once). Done is: the meter
 * shows it so.
 */
const ProgramTariff = z.strictObject({
  kind: z.literal("programTariff"),
  calendar: TariffCalendar,
  activateAt: Instant.optional(),
});
/** The calendars that the meter holds, and when the next one becomes active. */
const ReadTariff = z.strictObject({ kind: z.literal("readTariff") });
/** Shows a price at the meter: of an energy unit, or of an hour that is critical. It is not sent when it has ended. */
const SendPrice = z.strictObject({
  kind: z.literal("sendPrice"),
  price: Price,
  from: Instant,
  until: Instant,
  /** Critical peak, or of the moment. */
  because: z.enum(["critical-peak", "real-time"]),
});

/** The credit that the meter keeps by itself: its account, what is left, the last token. */
const ReadCredit = z.strictObject({ kind: z.literal("readCredit") });
/** Adds to the credit that the meter keeps by itself. */
const AddCredit = z.strictObject({ kind: z.literal("addCredit"), amount: CreditAmount });
/** Brings a token to the meter that it was issued for. */
const DeliverToken = z.strictObject({ kind: z.literal("deliverToken"), token: Token });

/** What can be asked of one meter, protocol-neutral. A capability adds its own here. */
export const Operation = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervals,
  Ping,
  ResetDemand,
  ReadEvents,
  ReadVoltage,
  ReadSwitch,
  SetClock,
  OperateSwitch,
  ReadBilling,
  ControlLoad,
  ReadPowerLimit,
  SetPowerLimit,
  ConfigurePush,
  ProgramTariff,
  ReadTariff,
  SendPrice,
  ReadCredit,
  AddCredit,
  DeliverToken,
]);
export type Operation = z.infer<typeof Operation>;
export type OperationKind = Operation["kind"];

/** `read`: repeat freely; `state`: absolute set; `once`: intent first, prove instead of repeat. */
export type ReplayClass = "read" | "state" | "once";
export const REPLAY_CLASS = {
  readRegisters: "read",
  readIntervals: "read",
  ping: "read",
  resetDemand: "once",
  readEvents: "read",
  readVoltage: "read",
  readSwitch: "read",
  setClock: "state",
  operateSwitch: "once",
  readBilling: "read",
  controlLoad: "state",
  readPowerLimit: "read",
  setPowerLimit: "state",
  configurePush: "state",
  programTariff: "state",
  readTariff: "read",
  sendPrice: "state",
  readCredit: "read",
  addCredit: "once",
  deliverToken: "once",
} as const satisfies Readonly<Record<OperationKind, ReplayClass>>;

type KindOf<C extends ReplayClass> = {
  [K in OperationKind]: (typeof REPLAY_CLASS)[K] extends C ? K : never;
}[OperationKind];
/** Operations that are an effect of class `once`. */
export type OnceOperation = Extract<Operation, { readonly kind: KindOf<"once"> }>;

export const replayClass = ({ kind }: Pick<Operation, "kind">): ReplayClass => REPLAY_CLASS[kind];
/** Whether it puts something into the credit of a meter: nothing that another order undoes. */
export const isCredit = ({ kind }: Pick<Operation, "kind">): boolean => kind === "addCredit" || kind === "deliverToken";
export const isOnce = (operation: Operation): operation is OnceOperation => replayClass(operation) === "once";
/** Whether it can be tested at a meter: everything but the effect, which its driver asks for last of all. */
export const hasTest = (operation: Operation): boolean =>
  isOnce(operation) || operation.kind === "setPowerLimit" || operation.kind === "controlLoad";
