import { z } from "zod";
import { ApTitleText } from "./ap-title.ts";
import { MeasurementName } from "./measurement.ts";
import { Commodity } from "./meter.ts";

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

/** A switch that a procedure operates: parameters in hex. */
const C1222Switch = z.strictObject({
  state: z.strictObject({ table: TableId, element: Element, closed: z.int() }),
  procedure: z.strictObject({ number: z.int().min(0).max(0x07ff), manufacturer: z.boolean() }),
  open: z.string().regex(/^(?:[0-9a-f]{2})*$/),
  close: z.string().regex(/^(?:[0-9a-f]{2})*$/),
  evidence: Evidence,
});

const C1222Access = z.strictObject({
  /** The headend's own title in the utility's network. */
  callingApTitle: ApTitleText,
  /** Protection of every request; an answer with less is refused. */
  security: z.enum(["clear", "authenticated", "ciphered"]),
  /** Which of the meter's keys the enrolled unicast key is. */
  keyId: z.int().min(0).max(255),
  /** User of the Security service, with the enrolled secret as its password; absent: no password is sent. */
  userId: z.int().min(0).max(0xffff).optional(),
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
      switch: C1222Switch.optional(),
    })
    .refine(({ access }) => access.userId === undefined || access.security === "ciphered", {
      message: "expected ciphered messages: a password is not sent in the open",
      path: ["access", "userId"],
    }),
});
export type C1222Profile = z.infer<typeof C1222Profile>;
export type C1222Register = z.infer<typeof C1222Register>;
export type C1222LoadProfile = z.infer<typeof C1222LoadProfile>;
