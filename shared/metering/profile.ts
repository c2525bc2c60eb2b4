import { z } from "zod";
import { C1222Profile } from "./c1222-profile.ts";
import {
  CapturedColumn,
  DlmsAlarm,
  DlmsBillingProfile,
  DlmsClockSetting,
  DlmsEventLog,
  DlmsImageTransfer,
  DlmsLimiter,
  DlmsLoadControl,
  DlmsMbusChannel,
  DlmsPrepayment,
  DlmsPriceDisplay,
  DlmsPush,
  DlmsSecuritySetup,
  DlmsSwitch,
  DlmsTariff,
  Evidence,
} from "./dlms-equipment.ts";
import { MeasurementName } from "./measurement.ts";
import { Commodity } from "./meter.ts";
import { ObisCode } from "./obis-code.ts";

/** Where a register lives: attribute 2 of a Data (1), Register (3) or Extended register (4). */
const DlmsRegister = z.strictObject({
  measurement: MeasurementName,
  classId: z.union([z.literal(1), z.literal(3), z.literal(4)]),
  obis: ObisCode,
  /** Power of ten that the meter model fixes; absent: read attribute 3 once a session. */
  scaler: z.int().min(-12).max(12).optional(),
  /** Member of the `total` set, which an interval read brings along. */
  total: z.boolean().default(false),
});

/** A load profile: a Profile generic object (class 7). */
const DlmsLoadProfile = z.strictObject({
  channelSet: z.string().min(1).max(16),
  obis: ObisCode,
  /** Seconds. */
  period: z.int().min(60).max(86_400),
  /** How many entries the meter keeps. */
  depth: z.int().min(1),
  channels: z.array(CapturedColumn).min(1).max(16),
  /** OBIS code of the status column, AMR profile status; absent: none. */
  status: ObisCode.optional(),
  /** Bit masks of the meter's own status to neutral names. */
  statusBits: z.record(z.string().regex(/^0x(?:[0-9a-f]{2}){1,4}$/), z.string()).default({}),
});

/**
 * How the maximum demand is reset, and what proves it: a Script table (class 9) whose script does it, a counter that
 * rises by one with each reset (Data, class 1) and the time of the last one (Data, class 1). At least one of the two.
 */
const DlmsDemandReset = z
  .strictObject({
    scriptTable: ObisCode,
    /** script_identifier, the parameter of the method `execute`. */
    script: z.int().min(0).max(0xffff),
    counter: ObisCode.optional(),
    lastReset: ObisCode.optional(),
    /** Registers that the reset clears: read, with the time of their peak, before it. */
    registers: z.array(MeasurementName).min(1).max(8),
    evidence: Evidence,
  })
  .refine(({ counter, lastReset }) => counter !== undefined || lastReset !== undefined, {
    message: "expected a counter or a time of the last reset: without one nothing proves a reset",
  });

/** The base name of one object, short-name referencing. */
const DlmsBaseName = z.strictObject({
  classId: z.int().min(1).max(0xffff),
  version: z.int().min(0).max(0xff),
  obis: ObisCode,
  baseName: z.int().min(0).max(0xffff),
});

const DlmsAccess = z.strictObject({
  clientSap: z.int().min(0).max(0xffff),
  serverSap: z.int().min(0).max(0xffff),
  /** Mechanisms 0 to 7; `hls-manufacturer` (2) needs a driver made with that manufacturer's own. */
  authentication: z.enum([
    "none",
    "lls",
    "hls-manufacturer",
    "hls-md5",
    "hls-sha1",
    "hls-gmac",
    "hls-sha256",
    "hls-ecdsa",
  ]),
  /** Dress of every protected message: glo-/ded- tags, General-Glo-/General-Ded-Ciphering, General-Ciphering. */
  ciphering: z.enum(["none", "service-specific", "general", "general-ciphering"]),
  securitySuite: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(0),
  /** Key of General-Ciphering; absent: the global unicast key. Agreed keys need suite 1 or 2. */
  cipheringKey: z.enum(["identified", "one-pass", "static-unified"]).optional(),
  /** Attribute security_policy of the Security setup, version 1, as bits; absent: authenticated and encrypted both ways. */
  securityPolicy: z.int().min(0).max(0xff).optional(),
  /** Proposes a dedicated key, which protects everything after the association. */
  dedicatedKey: z.boolean().optional(),
  /** Proposes General-Block-Transfer, taking so many blocks in a row. */
  generalBlockTransfer: z.strictObject({ window: z.int().min(1).max(63) }).optional(),
  /** Proposes the ACCESS service. */
  accessService: z.boolean().optional(),
  /**
   * Absent: negotiated by an AARQ. Pre-established: there is none, and nothing proves the meter freshly, so that the session
   * reads and does nothing else.
   */
  association: z.enum(["negotiated", "pre-established"]).optional(),
  /** What a pre-established association was agreed to be: conformance block, and the largest APDU that the meter accepts. */
  agreed: z
    .strictObject({ conformance: z.int().min(0).max(0xff_ffff), serverMaxPduSize: z.int().min(64).max(0xffff) })
    .optional(),
  /** How objects are named; absent: by logical names. */
  referencing: z.enum(["logical-name", "short-name"]).optional(),
  /** Absent: the wrapper. */
  framing: z.enum(["wrapper", "hdlc"]).optional(),
  /** HDLC: physical device and octets of the server's address, information field and window that we propose. */
  hdlc: z
    .strictObject({
      physicalDevice: z.int().min(0).max(0x3fff),
      addressOctets: z.union([z.literal(1), z.literal(2), z.literal(4)]),
      informationMax: z.int().min(32).max(2030).default(128),
      window: z.int().min(1).max(7).default(1),
    })
    .optional(),
  /** Largest APDU that we accept, octets; 0: no limit. */
  maxPduSize: z.int().min(0).max(0xffff).default(1024),
  /**
   * Data object that shows the public client (SAP 16) the last invocation counter accepted from ours; absent: the meter has
   * none. Looked at where a secured association was refused and the meter did not say which counter it expects.
   */
  invocationCounter: ObisCode.optional(),
  /** Which sign the meter gives the deviation of a date-time: `utc` = UTC − local (the standard), `local` = the opposite. */
  deviationSign: z.enum(["utc", "local"]).default("utc"),
});

export const DlmsProfile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  version: z.int().min(1),
  commodity: Commodity,
  protocol: z.literal("dlms"),
  dlms: z
    .strictObject({
      access: DlmsAccess,
      clock: ObisCode,
      /** Short names that the meter model fixes; where they hold all that is asked for, the object list is not read. */
      baseNames: z.array(DlmsBaseName).optional(),
      registers: z.array(DlmsRegister).min(1),
      loadProfiles: z.array(DlmsLoadProfile).max(8),
      /** Absent, here and below: the model offers none. */
      demandReset: DlmsDemandReset.optional(),
      events: z.array(DlmsEventLog).max(16).optional(),
      switch: DlmsSwitch.optional(),
      clockSetting: DlmsClockSetting.optional(),
      tariff: DlmsTariff.optional(),
      priceDisplay: DlmsPriceDisplay.optional(),
      limiter: DlmsLimiter.optional(),
      prepayment: DlmsPrepayment.optional(),
      loadControl: DlmsLoadControl.optional(),
      imageTransfer: DlmsImageTransfer.optional(),
      securitySetup: DlmsSecuritySetup.optional(),
      billing: DlmsBillingProfile.optional(),
      pushes: z.array(DlmsPush).max(8).optional(),
      alarms: z.array(DlmsAlarm).max(4).optional(),
      /** Absent: the meter itself. */
      mbus: DlmsMbusChannel.optional(),
    })
    .refine(({ loadControl, switch: relay }) => loadControl === undefined || loadControl.relay !== relay?.control, {
      message: "expected a relay that is not the supply switch",
      path: ["loadControl", "relay"],
    })
    .refine(({ loadControl, limiter }) => loadControl?.limiter === undefined || loadControl.limiter !== limiter?.obis, {
      message: "expected a limiter that is not the supply's",
      path: ["loadControl", "limiter"],
    }),
});
export type DlmsProfile = z.infer<typeof DlmsProfile>;

/** One meter model, as data. A new model is a new constant, not new code. */
export const DeviceProfile = z.discriminatedUnion("protocol", [DlmsProfile, C1222Profile]);
export type DeviceProfile = z.infer<typeof DeviceProfile>;
export type DlmsRegister = z.infer<typeof DlmsRegister>;
export type DlmsLoadProfile = z.infer<typeof DlmsLoadProfile>;
export type DlmsDemandReset = z.infer<typeof DlmsDemandReset>;
