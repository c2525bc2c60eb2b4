import { z } from "zod";
import { ApTitleText } from "./ap-title.ts";
import { EventNameSchema } from "./event-catalogue.ts";
import { MeasurementName } from "./measurement.ts";
import { Commodity } from "./meter.ts";
import { PushedContent, PushPeriod } from "./push-setting.ts";

/** Bits 0 to 10 the number, 11 manufacturer. */
const TableId = z.int().min(0).max(0x0fff);
/** A value within a table: `TOT_DATA_BLOCK.SUMMATIONS[0]`. */
const Element = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*(?:\[\d+\])?(?:\.[A-Z][A-Z0-9_]*(?:\[\d+\])?)*$/, "expected FIELD[0].FIELD");
const Evidence = z.enum(["verified", "unverified"]);

const C1222Register = z.strictObject({
  measurement: MeasurementName,
  table: TableId,
  element: Element,
  /** Value × 10^scaler is the measurement in its unit. */
  scaler: z.int().min(-12).max(12),
  /** The element that says when it was captured. */
  capturedAt: Element.optional(),
  /** Member of the `total` set, which an interval read brings along. */
  total: z.boolean().default(false),
});

/** One of the four load profile data sets: tables 64 to 67. */
const C1222LoadProfile = z.strictObject({
  channelSet: z.string().min(1).max(16),
  set: z.int().min(1).max(4),
  /** Seconds. */
  period: z.int().min(60).max(86_400),
  channels: z
    .array(
      z.strictObject({
        measurement: MeasurementName,
        /** Channel of the data set, from 0. */
        channel: z.int().min(0).max(254),
        scaler: z.int().min(-12).max(12),
      }),
    )
    .min(1)
    .max(4),
});

const Hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, "expected octets as lower-case hex");
/** Number of a procedure, and whether it is the manufacturer's own. */
const C1222Procedure = z.strictObject({ number: z.int().min(0).max(0x07ff), manufacturer: z.boolean() });

/** A switch that a procedure operates. Numbers of `state` that stand for no position are `unknown`. */
const C1222Switch = z.strictObject({
  state: z.strictObject({
    table: TableId,
    element: Element,
    open: z.int(),
    closed: z.int(),
    armed: z.int().optional(),
  }),
  /** What the contact itself says, where the meter shows it: non-zero or true is closed. */
  contact: z.strictObject({ table: TableId, element: Element }).optional(),
  procedure: C1222Procedure,
  /** Parameters of the procedure; absent: the model does not do it. */
  open: Hex,
  close: Hex.optional(),
  arm: Hex.optional(),
  evidence: Evidence,
});

/**
 * Loads behind the meter by a procedure: a level from 0 (off) to 100 (as it likes) for so many minutes, 0: for good. What the
 * control point shows is in a table. A level between is a share of the time: the meter cycles.
 */
const C1222LoadControl = z.strictObject({
  procedure: C1222Procedure,
  /** Parameters of the procedure, in the standard's table language; of CONTROL_POINT, LEVEL and DURATION (minutes). */
  parameters: z.string().max(512),
  controlPoint: z.int().min(0).max(255),
  state: z.strictObject({
    table: TableId,
    /** The level that is in force. */
    level: Element,
    /** Minutes that it has left, rounded up. */
    minutesLeft: Element,
  }),
  /** Periods of its own cycling, seconds: the only ones that an order may name; absent: it does not cycle. */
  cyclePeriod: z.int().min(120).max(7_200).optional(),
  evidence: Evidence,
});

/**
 * A limit of the load: a table of the manufacturer's that shows it, and a procedure that takes the same elements. Bit 0 of
 * `acts`: the switch opens above the limit; bit 1: it closes again below it.
 */
const C1222PowerLimit = z.strictObject({
  table: TableId,
  elements: z.strictObject({ watts: Element, overSeconds: Element, underSeconds: Element, acts: Element }),
  /** The threshold that stands for none. */
  noLimit: z.int(),
  procedure: C1222Procedure,
  /** Layout of the procedure's parameters. */
  parameters: z.string().max(8192),
  evidence: Evidence,
});

/** How the maximum demand is reset, and the counter that rises by one with each reset. */
const C1222DemandReset = z.strictObject({
  procedure: C1222Procedure,
  parameters: Hex,
  counter: z.strictObject({
    table: TableId,
    element: Element,
    /** The counter begins again at 0 there: 256 for one of eight bits. */
    modulus: z.int().min(2).default(256),
  }),
  /** Registers that the reset clears: read, with the time of their peak, before it. */
  registers: z.array(MeasurementName).min(1).max(8),
  evidence: Evidence,
});

/**
 * Tables that keep the registers of table 23 as they stood when something ended: 24 the season before, 25 the last demand
 * reset, 26 self-reads. Elements and scalers are those of the registers.
 */
const C1222Billing = z.strictObject({
  tables: z
    .array(z.union([z.literal(24), z.literal(25), z.literal(26)]))
    .min(1)
    .max(3),
  evidence: Evidence,
});

/** How the clock is set: the procedure takes a mask, date and time, and their qualifier. */
const C1222ClockSetting = z.strictObject({
  procedure: C1222Procedure,
  /** Nothing is done while the clock is off by no more, ms. */
  toleranceMs: z.int().min(0).max(900_000),
  /** A clock that is off by more is not set, ms; absent: set whatever it shows. */
  stepMaxMs: z.int().min(1).optional(),
  evidence: Evidence,
});

/**
 * A manufacturer's tables of one layout (`CALENDAR_LAYOUT` of the driver): the calendar that counts, and the one that waits.
 * No two public sources agree on all of the standard's table 54.
 */
const C1222Tariff = z.strictObject({
  active: TableId,
  pending: TableId,
  tiers: z.int().min(1).max(8),
  evidence: Evidence,
});
/** A manufacturer's table with the text of the display. */
const C1222PriceDisplay = z.strictObject({ table: TableId, evidence: Evidence });

const TimeForm = z.strictObject({ dataOrder: z.enum(["little", "big"]), format: z.int().min(1).max(4) });

/** A module that sleeps: it listens for a while after each wake, and sends the registers' tables then, unasked. */
const C1222Sleep = z.strictObject({
  /** From wake to wake, seconds. */
  wakesEvery: z.int().min(60).max(604_800),
  /** How long it listens then, seconds. */
  listens: z.int().min(1).max(3600),
  /** Tables that it writes to its host at each wake, without an answer; its device class names the layout to whoever gets it. */
  pushes: z.array(TableId).max(16),
  /** As GEN_CONFIG says it: needed to set time, for nothing is read before. Absent: its clock is not set. */
  time: TimeForm.optional(),
  deviceClass: z.string().regex(/^[0-9a-f]{8}$/, "expected 4 octets as lower-case hex"),
  evidence: Evidence,
});

/** One of the logs: table 74 (what was done to the meter) or 76 (what happened to it). */
const C1222Log = z.strictObject({
  log: z.string().min(1).max(16),
  table: z.union([z.literal(74), z.literal(76)]),
  /** Of the manufacturer's codes. */
  evidence: Evidence,
  /** Names of codes beyond the standard ones (`S20`, `M3`), or in place of them. */
  codes: z.record(z.string().regex(/^[SM]\d{1,4}$/), EventNameSchema).default({}),
});

const C1222Access = z.strictObject({
  /** The headend's own title in the utility's network. */
  callingApTitle: ApTitleText,
  /** Protection of every request; an answer with less is refused. */
  security: z.enum(["clear", "authenticated", "ciphered"]),
  /** Which of the meter's keys the enrolled unicast key is. */
  keyId: z.int().min(0).max(255),
  /** It lets secured messages through that its clock takes for late ones, to read it and to set its clock. */
  recovery: z.strictObject({ evidence: Evidence }).optional(),
  /** User of the Security service, with the enrolled secret as its password; absent: no password is sent. */
  userId: z.int().min(0).max(0xffff).optional(),
  /** Opens a session (Logon, then Security with the enrolled secret, Logoff at its end); absent: each message stands alone. */
  session: z
    .strictObject({
      userId: z.int().min(0).max(0xffff),
      user: z.string().max(10),
      /** Asked for, seconds; 0: for ever. */
      idleTimeout: z.int().min(0).max(0xffff),
    })
    .optional(),
});

/**
 * A push of the model, and the manufacturer's table that says whether and how often: written whole. It goes to the
 * notification host that the node is registered with.
 */
const C1222PushSetting = z.strictObject({
  content: PushedContent,
  table: TableId,
  /** 1: on, 0: off. */
  enabled: Element,
  /** Absent: it pushes when something happens. */
  period: z
    .strictObject({ element: Element, unitSeconds: z.int().min(1).max(3600), periods: z.array(PushPeriod).min(1) })
    .optional(),
  /** Tables that it writes to its host. */
  tables: z.array(TableId).max(16),
  evidence: Evidence,
});

/** What members of this model do with a request to a group of theirs; no field of the protocol says any of it. */
const C1222Groups = z.strictObject({
  /** Each member waits a random part of so many seconds before it answers. */
  answersWithinSeconds: z.int().min(1).max(3600),
  /** As GEN_CONFIG says it of members: needed to set time, for nothing is read before. */
  time: TimeForm.optional(),
  /** Table that takes blocks of a signed image by offset. */
  imageTable: TableId.optional(),
  evidence: Evidence,
});

export const C1222Profile = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  version: z.int().min(1),
  commodity: Commodity,
  protocol: z.literal("c1222"),
  c1222: z
    .strictObject({
      access: C1222Access,
      /** Table of the clock. */
      clock: z.union([z.literal(52), z.literal(55)]),
      registers: z.array(C1222Register).min(1),
      loadProfiles: z.array(C1222LoadProfile).max(4),
      /** Standard tables whose layout only one source tells (docs/standards.md), that this model is taken to have so. */
      singleSourceTables: z.strictObject({ tables: z.array(TableId).max(64), evidence: Evidence }),
      /** Layouts of the manufacturer's tables by table id. */
      layouts: z.record(z.string().regex(/^\d+$/), z.string().max(8192)).default({}),
      /** How FIXED_BCD numbers are coded, which table 0 does not say; absent: they are not read. */
      fixedBcd: z.strictObject({ form: z.literal("point-b-minus-d"), evidence: Evidence }).optional(),
      /** Rule of summer time of meters that keep local time; absent: their times are no instants. */
      localTime: z.strictObject({ summerTime: z.enum(["none", "us"]) }).optional(),
      /** Absent, here and below: the model offers none. */
      logs: z.array(C1222Log).min(1).max(2).optional(),
      clockSetting: C1222ClockSetting.optional(),
      demandReset: C1222DemandReset.optional(),
      billing: C1222Billing.optional(),
      tariff: C1222Tariff.optional(),
      priceDisplay: C1222PriceDisplay.optional(),
      switch: C1222Switch.optional(),
      loadControl: C1222LoadControl.optional(),
      powerLimit: C1222PowerLimit.optional(),
      /** A module on a battery: when it listens, and what it says by itself. */
      sleep: C1222Sleep.optional(),
      pushes: z.array(C1222PushSetting).max(4).optional(),
      /** Absent: the model takes no requests to groups. */
      groups: C1222Groups.optional(),
    })
    .refine(
      ({ access }) => (access.userId === undefined && access.session === undefined) || access.security === "ciphered",
      { message: "expected ciphered messages: a password is not sent in the open", path: ["access"] },
    )
    .refine(
      ({ loadControl, switch: relay }) =>
        loadControl === undefined ||
        loadControl.procedure.number !== relay?.procedure.number ||
        loadControl.procedure.manufacturer !== relay.procedure.manufacturer,
      { message: "expected a procedure that is not the supply switch's", path: ["loadControl"] },
    )
    .refine(({ access }) => access.userId === undefined || access.session === undefined, {
      message: "expected a password in each message, or a session",
      path: ["access"],
    }),
});
export type C1222Profile = z.infer<typeof C1222Profile>;
export type C1222Register = z.infer<typeof C1222Register>;
export type C1222LoadProfile = z.infer<typeof C1222LoadProfile>;
export type C1222Procedure = z.infer<typeof C1222Procedure>;
export type C1222Switch = z.infer<typeof C1222Switch>;
export type C1222LoadControl = z.infer<typeof C1222LoadControl>;
export type C1222PowerLimit = z.infer<typeof C1222PowerLimit>;
export type C1222DemandReset = z.infer<typeof C1222DemandReset>;
export type C1222Billing = z.infer<typeof C1222Billing>;
export type C1222ClockSetting = z.infer<typeof C1222ClockSetting>;
export type C1222PushSetting = z.infer<typeof C1222PushSetting>;
export type C1222Tariff = z.infer<typeof C1222Tariff>;
export type C1222Log = z.infer<typeof C1222Log>;
export type C1222Sleep = z.infer<typeof C1222Sleep>;
