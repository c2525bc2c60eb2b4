import { z } from "zod";
import { EventNameSchema } from "./event-catalogue.ts";
import { MeasurementName } from "./measurement.ts";
import { ObisCode } from "./obis-code.ts";
import { PushedContent, PushPeriod } from "./push-setting.ts";

/** What a DLMS meter model has besides its registers and load profiles. */

/** `unverified`: it rests on something that docs/standards.md has not confirmed for this meter model. */
export const Evidence = z.enum(["verified", "unverified"]);

/** An event log: a Profile generic that captures the clock and a Data object (class 1) with the code of the event. */
export const DlmsEventLog = z.strictObject({
  log: z.string().min(1).max(64),
  obis: ObisCode,
  code: ObisCode,
  /** How many entries the meter keeps. */
  depth: z.int().min(1),
  /** Codes of this log, decimal, by what they mean; what is absent is `unknown`. */
  events: z.record(z.string().regex(/^\d{1,5}$/), EventNameSchema),
  evidence: Evidence,
});

/** The supply switch: a Disconnect control (class 70). */
export const DlmsSwitch = z.strictObject({
  control: ObisCode,
  /** control_mode as the model is installed, 0 to 6: it says whether a reconnection closes or arms. */
  mode: z.int().min(0).max(6),
  evidence: Evidence,
});

/** How the clock is set: by writing its time, by shift_time within its limit of 900 s, or by whichever is smaller. */
export const DlmsClockSetting = z.strictObject({
  method: z.enum(["write", "shift", "shift-or-write"]),
  /** Nothing is done while the clock is off by no more, ms. */
  toleranceMs: z.int().min(0).max(900_000),
  evidence: Evidence,
});

/**
 * Activity calendar (class 20) and Special days table (class 11). A day's switches name a script of the table; the
 * Register activation (class 6) that it works on is the meter's own.
 */
export const DlmsTariff = z.strictObject({
  calendar: ObisCode,
  specialDays: ObisCode,
  scriptTable: ObisCode,
  /** Script that makes a tier count, from tier 1 on. */
  tiers: z.array(z.int().min(1).max(0xffff)).min(1).max(8),
  evidence: Evidence,
});
/** Text for the display, and since when and until when it holds: a Data object (class 1) with an octet-string. */
export const DlmsPriceDisplay = z.strictObject({
  message: ObisCode,
  octetsMax: z.int().min(16).max(4096),
  evidence: Evidence,
});

/** A Limiter (class 71). */
export const DlmsLimiter = z.strictObject({
  obis: ObisCode,
  /** The Script table (class 9) that moves the switch. @default 0.0.10.0.106.255, scripts 1 and 2 */
  scripts: z
    .strictObject({ table: ObisCode, disconnect: z.int().min(0).max(0xffff), reconnect: z.int().min(0).max(0xffff) })
    .optional(),
  evidence: Evidence,
});
/** Scripts of the disconnect script table, where a device profile names none. */
export const DISCONNECT_SCRIPTS = { table: "0.0.10.0.106.255", disconnect: 1, reconnect: 2 } as const;

/**
 * A load behind the meter that a relay of its own switches: a Disconnect control (class 70) beside the one of the supply, a
 * Script table (class 9) that moves it, and two Single action schedules (class 22) by which the meter itself cycles and
 * ends. `limiter`: a Limiter (class 71) whose actions are scripts of that table.
 */
export const DlmsLoadControl = z.strictObject({
  relay: ObisCode,
  scriptTable: ObisCode,
  scripts: z.strictObject({ off: z.int().min(1).max(0xffff), on: z.int().min(1).max(0xffff) }),
  schedules: z.strictObject({ off: ObisCode, on: ObisCode }),
  limiter: ObisCode.optional(),
  evidence: Evidence,
});

/**
 * Credit that the meter keeps by itself: an Account (class 111), the Credit (112) that top-ups go to, every Charge (113)
 * that collects from it, and the Token gateway (115) where the meter takes tokens.
 */
export const DlmsPrepayment = z.strictObject({
  account: ObisCode,
  credit: ObisCode,
  charges: z.array(ObisCode).min(1).max(8),
  tokenGateway: ObisCode.optional(),
  evidence: Evidence,
});
/** An Image transfer (class 18). */
export const DlmsImageTransfer = z.strictObject({
  obis: ObisCode,
  /** Data object with the identifier of the firmware that runs. */
  activeFirmware: ObisCode.optional(),
  evidence: Evidence,
});

/** The Security setup (class 64) in force, and which keys may be changed through it. */
export const DlmsSecuritySetup = z.strictObject({
  obis: ObisCode,
  version: z.union([z.literal(0), z.literal(1)]),
  keyTransfer: z.array(z.enum(["unicast", "broadcast", "authentication", "master"])).default([]),
  keyAgreement: z.array(z.enum(["unicast", "broadcast", "authentication"])).default([]),
  evidence: Evidence,
});

/**
 * A Push setup (class 40): what the meter sends by itself, and how often. The buffer of a load profile is pushed as its
 * newest `entries`, with the columns clock, status (where the profile has one) and channels, in this order.
 */
export const DlmsPush = z.strictObject({
  obis: ObisCode,
  /** push_object_list, in its order. */
  objects: z
    .array(
      z.strictObject({
        classId: z.int().min(1),
        obis: ObisCode,
        attribute: z.int().min(1),
        entries: z.int().min(1).max(96).optional(),
      }),
    )
    .min(1)
    .max(32),
  /** Seconds from push to push by the meter's clock; absent: only when it is told to. */
  period: z.int().min(60).max(86_400).optional(),
  /** It also sends when a bit of an alarm descriptor is raised. */
  onAlarm: z.boolean().optional(),
  /**
   * How it is configured, a Push setup of version 0; absent: it is not, by this headend. It is switched off by a
   * communication window that is over.
   */
  setting: z
    .strictObject({
      content: PushedContent,
      /** The Single action schedule that runs it, its times with any hour where the period is a part of one. */
      schedule: ObisCode.optional(),
      periods: z.array(PushPeriod).min(1).optional(),
    })
    .refine(({ schedule, periods }) => (schedule === undefined) === (periods === undefined), {
      message: "expected a schedule and its periods, or neither",
    })
    .optional(),
  evidence: Evidence,
});

/** An alarm descriptor (Data, class 1): a bit an alarm. Bits that no event is named for are `unknown`. */
export const DlmsAlarm = z.strictObject({
  log: z.string().min(1).max(64),
  obis: ObisCode,
  /** Bit number → what it means. */
  bits: z.record(z.string().regex(/^(?:[0-9]|[12][0-9]|3[01])$/), EventNameSchema),
  evidence: Evidence,
});

/** A captured value, matched by class, OBIS and attribute of captureObjects. */
export const CapturedColumn = z.strictObject({
  measurement: MeasurementName,
  classId: z.int().min(1),
  obis: ObisCode,
  attribute: z.int().min(1).default(2),
  scaler: z.int().min(-12).max(12),
});

/** Snapshots at the end of a billing period: a Profile generic without a capture period. */
export const DlmsBillingProfile = z.strictObject({
  obis: ObisCode,
  /** How many periods the meter keeps. */
  depth: z.int().min(1),
  registers: z.array(CapturedColumn).min(1).max(48),
  evidence: Evidence,
});

/**
 * A meter on the M-Bus of an electricity meter (class 72): which channel it is read on. Its registers and load profiles
 * carry the channel in the second group of their OBIS codes; route, title and keys are the electricity meter's.
 */
export const DlmsMbusChannel = z.strictObject({
  channel: z.int().min(1).max(4),
  client: ObisCode,
  /** M-Bus device types that may answer there: 3 gas, 7 water. */
  deviceTypes: z.array(z.int().min(0).max(255)).min(1).max(8),
  /** The electricity meter asks its bus by itself, each so many seconds. */
  capturePeriod: z.int().min(1).max(86_400),
});

export type DlmsEventLog = z.infer<typeof DlmsEventLog>;
export type DlmsSwitch = z.infer<typeof DlmsSwitch>;
export type DlmsClockSetting = z.infer<typeof DlmsClockSetting>;
export type DlmsTariff = z.infer<typeof DlmsTariff>;
export type DlmsPriceDisplay = z.infer<typeof DlmsPriceDisplay>;
export type DlmsLimiter = z.infer<typeof DlmsLimiter>;
export type DlmsLoadControl = z.infer<typeof DlmsLoadControl>;
export type DlmsImageTransfer = z.infer<typeof DlmsImageTransfer>;
export type DlmsSecuritySetup = z.infer<typeof DlmsSecuritySetup>;
export type DlmsPrepayment = z.infer<typeof DlmsPrepayment>;
export type DlmsAlarm = z.infer<typeof DlmsAlarm>;
export type DlmsPush = z.infer<typeof DlmsPush>;
export type DlmsBillingProfile = z.infer<typeof DlmsBillingProfile>;
export type DlmsMbusChannel = z.infer<typeof DlmsMbusChannel>;
